import type { SlotLinks } from '../artifacts/index.ts'
import type { AgentContext } from './agent-context.ts'
import { healthReport } from './told.ts'

/**
 * Before anything else after a start: every link must name a variant whose bytes are right. One that
 * does not falls back to the previous; where that is spoiled too, there is no link rather than a lie.
 */
export async function recoverSlots(context: AgentContext): Promise<void> {
  for (const model of await context.slots.models()) await recoverModel(model, context)
}

async function recoverModel(model: string, { slots, ledger, log, clock }: AgentContext) {
  const found = await slots.links(model)
  const good = await goodOf(model, found, slots)
  if (good.current === found.current && good.previous === found.previous) {
    if (good.current !== null || good.previous === null) return
  }
  const next = good.current === null ? { current: good.previous, previous: null } : good
  await slots.restore(model, next)
  if (next.current === found.current) return
  if (found.current !== null) await slots.remove(model, found.current)
  const what =
    found.current === null
      ? 'the link was gone'
      : `${found.current.slice(0, 12)} is missing or spoiled`
  const then =
    next.current === null ? 'nothing to go back to' : `went back to ${next.current.slice(0, 12)}`
  const detail = `${what}; ${then}`
  const isRunning = next.current !== null
  ledger.commit(
    'slot.lost',
    [],
    [healthReport(model, next.current, isRunning, detail, clock.now())],
  )
  log.error({ model, lost: found.current, now: next.current }, detail)
}

async function goodOf(
  model: string,
  links: SlotLinks,
  slots: AgentContext['slots'],
): Promise<SlotLinks> {
  const goodOrNull = async (variant: string | null) =>
    variant !== null && (await slots.isGood(model, variant)) ? variant : null
  return { current: await goodOrNull(links.current), previous: await goodOrNull(links.previous) }
}
