import type { Digest } from '../../../shared/digest.ts'
import { NO_LINKS, type SlotLinks, type Slots } from '../../artifacts/index.ts'
import type { Installation } from '../journal/records.ts'

/** The links before, without slots that have been lost since: rather one variant than a dangling link. */
export async function rollbackTarget(
  model: string,
  before: SlotLinks,
  failed: Digest,
  slots: Slots,
): Promise<SlotLinks> {
  for (const current of [before.current, before.previous]) {
    if (current === null || current === failed || !(await slots.isGood(model, current))) continue
    return { current, previous: current === before.current ? before.previous : null }
  }
  // It ran already and was assigned once more: better in doubt than without any.
  const ranAlready = before.current === failed && (await slots.isGood(model, failed))
  return ranAlready ? { current: failed, previous: null } : NO_LINKS
}

/**
 * Who is told to run again what ran before the present variant was told to leave that one: somebody took it
 * back, whatever it did here. The device never falls back to it by itself. `null`: nothing was left that way.
 */
export function leftBehind({ assignment, before }: Installation): Digest | null {
  return before?.previous === assignment.variant ? before.current : null
}

/** The same, once the way back was gone to its end. */
export function notGoneBackTo(job: Installation | undefined): Digest | null {
  return job?.step === 'active' ? leftBehind(job) : null
}
