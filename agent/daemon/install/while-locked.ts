import { messageOf } from '../../../shared/errors.ts'
import { type HeldLock, ModelLocks } from '../../client/index.ts'
import type { AgentContext } from '../agent-context.ts'
import type { Installation } from '../journal/records.ts'
import { installReport } from '../reports.ts'

/** Locks of a few inferences are nobody's business; what lasts longer is told to the fleet, ms. */
const TOLD_AFTER_MS = 5_000
/** And again: nothing of it is kept, and the planner may have been away, ms. */
const TOLD_EVERY_MS = 300_000
const MOST_NAMED = 3

/** What the fleet reads is short. */
const MOST_CHARACTERS = 1024

/** Does work that waits for applications; log and fleet learn for which. */
export async function whileLocked<T>(
  { order, assignment }: Pick<Installation, 'order' | 'assignment'>,
  { stateDir, clock, log, tell }: Pick<AgentContext, 'stateDir' | 'clock' | 'log' | 'tell'>,
  work: (locks: ModelLocks, onWait: (holders: readonly string[]) => void) => Promise<T>,
): Promise<T> {
  const { model } = assignment
  const locks = new ModelLocks(stateDir, model)
  const logWait = async (holders: readonly string[]) => {
    log.info(
      { model, locks: await locks.described(holders) },
      'waits for applications that hold a lock',
    )
  }
  const tellFleet = async () => {
    const held = await locks.described(await locks.holders())
    if (held.length === 0) return
    tell(installReport(order, assignment, 'installed', clock.now(), { waitsFor: named(held) }))
  }
  let timer = setTimeout(function again() {
    timer = setTimeout(again, TOLD_EVERY_MS)
    tellFleet().catch((error) =>
      log.warn({ model, reason: messageOf(error) }, 'cannot tell who is waited for'),
    )
  }, TOLD_AFTER_MS)
  try {
    return await work(locks, (holders) => void logWait(holders))
  } finally {
    clearTimeout(timer)
  }
}

/** `4711-… (inspects belt 3), 4712-… and 2 more` */
function named(held: readonly HeldLock[]): string {
  const shown = held
    .slice(0, MOST_NAMED)
    .map(({ name, reason }) => (reason === null ? name : `${name} (${reason})`))
  const rest = held.length - shown.length
  return `${shown.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`.slice(0, MOST_CHARACTERS)
}
