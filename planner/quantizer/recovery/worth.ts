import { storedWeights } from './bias-correction.ts'
import type { Candidate, Services } from './candidate.ts'
import type { SqnrEvaluator } from './sqnr-evaluator.ts'

/** What a method is likely to win, dB. */
export type Worth = (
  candidate: Candidate,
  services: Services,
  sqnr: SqnrEvaluator,
) => Promise<number>

/** Of the noise that rounding weights makes: of ic01's other codes took 25 to 31 %, of wake-embedding's 28 %. */
const TAKEN_BY_CODES = 0.3

/** What better codes win where rounding weights makes this share of the noise. */
export function likelyDb(share: number): number {
  return -10 * Math.log10(1 - TAKEN_BY_CODES * Math.min(1, share))
}

/**
 * Other codes for weights win a part of what their rounding loses: the level of the model with narrow weights and float
 * activations says how much of the noise that is.
 */
export async function wonByCodes(
  candidate: Candidate,
  _services: Services,
  sqnr: SqnrEvaluator,
): Promise<number> {
  const all = 10 ** (-(await sqnr.sqnrDb(candidate)) / 10)
  const weights = 10 ** (-(await sqnr.weightsOnlyDb(candidate)) / 10)
  return likelyDb(all > 0 ? weights / all : 1)
}

/** So few products are corrected in no time, for little. */
const FEW = { products: 16, db: 0.1 }

/** Other biases take back what the errors of all samples share, and no more. */
export async function shiftsShare(
  candidate: Candidate,
  _services: Services,
  sqnr: SqnrEvaluator,
): Promise<number> {
  const shared = (await sqnr.withoutShiftDb(candidate)) - (await sqnr.sqnrDb(candidate))
  const few = storedWeights(candidate.plan, candidate.request).length <= FEW.products
  return few && shared >= FEW.db ? Number.POSITIVE_INFINITY : shared
}
