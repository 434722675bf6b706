import type { Digest } from '../../../shared/digest.ts'
import { isPackageName } from '../../../shared/trust/index.ts'
import type { SlotLinks } from '../../artifacts/index.ts'
import type { AgentContext } from '../agent-context.ts'
import { healthReport, refusalOf } from '../reports.ts'
import { openLibrary } from './package-library.ts'

/**
 * At every start, after the slots are whole: each installed library must still open here, as the system around it may
 * have changed. One that does not is given up by name, and the one before takes its place where that opens.
 */
export async function checkPackages(context: AgentContext): Promise<void> {
  for (const name of await context.slots.models()) {
    if (isPackageName(name)) await checkPackage(name, context)
  }
}

async function checkPackage(name: string, context: AgentContext): Promise<void> {
  const links = await context.slots.links(name)
  if (links.current === null) return
  const error = await obstacle(name, links.current, context)
  if (error === null) return
  const next = await fallback(name, links, context)
  await context.slots.restore(name, { current: next, previous: null })
  await context.slots.remove(name, links.current)
  const now = context.clock.now()
  const value = { variant: links.current, at: now.toISOString(), ...error }
  const then = next === null ? 'nothing to go back to' : `went back to ${next.slice(0, 12)}`
  const detail = `${links.current.slice(0, 12)} cannot be opened: ${error.message}; ${then}`
  const report = healthReport(name, next, next !== null, detail, now)
  const quarantined = { kind: 'quarantine', key: links.current, value } as const
  context.ledger.commit('package.unusable', [quarantined], [report])
  context.log.error({ runtime: name, now: next }, detail)
}

async function fallback(
  name: string,
  { previous }: SlotLinks,
  context: AgentContext,
): Promise<Digest | null> {
  if (previous === null || !(await context.slots.isGood(name, previous))) return null
  return (await obstacle(name, previous, context)) === null ? previous : null
}

async function obstacle(name: string, digest: Digest, { slots }: AgentContext) {
  try {
    await openLibrary(name, digest, slots)
    return null
  } catch (error) {
    return refusalOf(error)
  }
}
