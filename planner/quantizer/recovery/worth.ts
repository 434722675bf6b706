import { storedWeights } from './bias-correction.ts'
import type { Candidate, Services } from './candidate.ts'
import type { SqnrEvaluator } from './sqnr-evaluator.ts'

/** What a method can win at most, dB. */
export type Worth = (
  candidate: Candidate,
  services: Services,
  sqnr: SqnrEvaluator,
) => Promise<number>

/**
 * Other codes for weights win at most what their rounding loses: the level of the model with narrow weights and float
 * activations says how much of the noise that is.
 */
export async function weightsShare(
  candidate: Candidate,
  _services: Services,
  sqnr: SqnrEvaluator,
): Promise<number> {
  const all = 10 ** (-(await sqnr.sqnrDb(candidate)) / 10)
  const weights = 10 ** (-(await sqnr.weightsOnlyDb(candidate)) / 10)
  const left = all - weights
  return left <= 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(all / left)
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
