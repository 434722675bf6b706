import { storedWeights } from './bias-correction.ts'
import type { Candidate, Services } from './candidate.ts'
import { correctSequentially } from './sequential.ts'
import type { SqnrEvaluator } from './sqnr-evaluator.ts'

/** What a method can win at most, or won on a small scale, dB. */
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

/** Rounds that show whether more of them would help. */
const FEW_ROUNDS = 4

/** What a few rounds over all products win: those of deep models take long. */
export async function fewRounds(
  candidate: Candidate,
  services: Services,
  sqnr: SqnrEvaluator,
): Promise<number> {
  const products = storedWeights(candidate.plan, candidate.request).length
  if (products <= 4 * FEW_ROUNDS) return Number.POSITIVE_INFINITY
  const tried = await correctSequentially(candidate, services, FEW_ROUNDS)
  if (tried === null) return 0
  return (await sqnr.sqnrDb(tried)) - (await sqnr.sqnrDb(candidate))
}
