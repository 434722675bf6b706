import type { Digest } from '../../../shared/digest.ts'
import type { SlotLinks } from '../../artifacts/index.ts'
import type { AgentContext } from '../agent-context.ts'
import { healthReport } from '../reports.ts'
import { notGoneBackTo } from './rollback-target.ts'

/**
 * Before anything else after a start: every link must name a variant whose bytes are right. One that does not
 * is mended from its spare copy, or falls back to the previous, unless that was taken back; where nothing is
 * good there is no link rather than a lie, and the planner sends the variant again.
 */
export async function recoverSlots(context: AgentContext): Promise<void> {
  for (const model of await context.slots.models()) await recoverModel(model, context)
}

async function recoverModel(model: string, context: AgentContext): Promise<void> {
  const { slots, ledger } = context
  if (await slots.healLinks(model)) {
    context.log.warn(
      { model },
      'links of this model had become folders or files; they are links again',
    )
  }
  const found = await slots.links(model)
  const job = ledger.journal.get('installation', model)
  const takenBack = notGoneBackTo(job)
  // Without the link, the journal knows what it named.
  const current = found.current ?? (takenBack === null ? null : (job?.assignment.variant ?? null))
  const isMended = await mend(model, current, slots)
  const good = await goodOf(model, { ...found, current }, takenBack, slots)
  const isWhole = good.current === found.current && good.previous === found.previous
  if (!isWhole || (good.current === null && good.previous !== null)) {
    const next = good.current === null ? { current: good.previous, previous: null } : good
    await slots.restore(model, next)
    if (next.current !== found.current) return await fellBack(model, found, next, context)
  }
  if (isMended) tell(model, found.current, `${short(found.current)} was spoiled; mended`, context)
}

async function fellBack(
  model: string,
  found: SlotLinks,
  next: SlotLinks,
  context: AgentContext,
): Promise<void> {
  if (found.current !== null) await context.slots.remove(model, found.current)
  const what =
    found.current === null ? 'the link was gone' : `${short(found.current)} is missing or spoiled`
  const then =
    next.current === null ? 'nothing to go back to' : `went back to ${short(next.current)}`
  tell(model, next.current, `${what}; ${then}`, context)
}

function tell(model: string, current: Digest | null, detail: string, context: AgentContext): void {
  const { ledger, clock, log } = context
  const report = healthReport(model, current, current !== null, detail, clock.now())
  ledger.commit('slot.lost', [], [report])
  log.error({ model, now: current }, detail)
}

/** True where it was spoiled and its spare copy took its place. */
async function mend(
  model: string,
  current: Digest | null,
  slots: AgentContext['slots'],
): Promise<boolean> {
  if (current === null || (await slots.isGood(model, current))) return false
  return await slots.mend(model, current)
}

async function goodOf(
  model: string,
  links: SlotLinks,
  takenBack: Digest | null,
  slots: AgentContext['slots'],
): Promise<SlotLinks> {
  const goodOrNull = async (variant: Digest | null) =>
    variant !== null && (await slots.isGood(model, variant)) ? variant : null
  const previous = links.previous === takenBack ? null : links.previous
  return { current: await goodOrNull(links.current), previous: await goodOrNull(previous) }
}

function short(variant: Digest | null): string {
  return `${variant?.slice(0, 12)}`
}
