import type { MatchOrder } from '../../probing/index.ts'

/** A heat only tells who may win: it takes this share of the time that a duel takes. */
const HEAT_SHARE = 1 / 3
/** What several have together beside the share of each. */
const FIELD_SHARE = 1 / 2
/** Shorter than this no measurement is. */
const LEAST_MEASURE_MS = 100

/** Time for latencies, ms. @param sides that share it: two where nobody else is measured beside them */
export function measureMsOf(match: MatchOrder['match'], duelMs: number, sides: number): number {
  const isField = sides > 2
  const share = match === 'duel' ? 1 : HEAT_SHARE
  if (!isField) return Math.max(LEAST_MEASURE_MS, Math.round(share * duelMs))
  // Most leave it early; those that remain have the rest, as long as a duel takes.
  return Math.round((sides / 2) * share * duelMs + (match === 'duel' ? 0 : FIELD_SHARE * duelMs))
}
