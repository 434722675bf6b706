import type { Attempt } from './attempts.ts'

/** A disturbed measurement is repeated after so long, ms, and after twice as long each time. */
const FIRST_PAUSE_MS = 15_000
/** From then on it counts as undecided, and is tried only now and then: a busy day has a quiet night. */
export const TRIES_FOR_QUIET = 6
const LAST_PAUSE_MS = 60 * 60_000

/** Longest that a device waits for a quiet moment before it begins, ms: the oftener disturbed, the more patiently. */
const FIRST_PATIENCE_MS = 2_000
const MOST_PATIENCE_MS = 60_000

/** @param building what disturbs may be builds on the same machine, which will end */
export function patienceAfter(disturbed: number, building = false): number {
  if (building) return MOST_PATIENCE_MS
  return Math.min(MOST_PATIENCE_MS, FIRST_PATIENCE_MS * 4 ** disturbed)
}

export interface NextTry {
  readonly at: Date
  /** Tried so often that nobody should wait for it. */
  readonly undecided: boolean
}

/** When a measurement that was disturbed is worth another try. */
export function nextTry(disturbed: readonly Attempt[]): NextTry {
  const tries = disturbed.length
  const undecided = tries >= TRIES_FOR_QUIET
  const pause = undecided ? LAST_PAUSE_MS : FIRST_PAUSE_MS * 2 ** (tries - 1)
  const last = Math.max(...disturbed.map((attempt) => Date.parse(endOf(attempt))))
  return { at: new Date(last + pause), undecided }
}

function endOf({ finishedAt, orderedAt }: Attempt): string {
  return finishedAt ?? orderedAt
}

/** `contended: busy-machine, stolen`, of the newest. */
export function disturbance(disturbed: readonly Attempt[]): string {
  const record = disturbed.at(-1)?.record
  if (!record) return 'disturbed'
  return record.flags.length === 0
    ? record.verdict
    : `${record.verdict}: ${record.flags.join(', ')}`
}
