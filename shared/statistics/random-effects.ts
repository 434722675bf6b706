import { invariant } from '../errors.ts'
import { Z95 } from './normal.ts'

/** No measurement is better than this, whatever its interval says: keeps weights finite. */
const LEAST_ERROR = 1e-4

export interface RatioEstimate {
  readonly p50: number
  readonly ci95: readonly [number, number]
}

/**
 * One ratio from several measurements of it, each with an interval of its own. Where they disagree by more than their
 * intervals allow, the disagreement widens the result: devices of one class are not copies of each other.
 * Computed on logarithms. (Random effects: DerSimonian & Laird 1986, Controlled Clinical Trials 7:177.)
 * @param addedError standard error, as a share, that comes on top, e.g. for devices that were not asked
 */
export function pooledRatio(estimates: readonly RatioEstimate[], addedError = 0): RatioEstimate {
  invariant(estimates.length > 0, 'nothing to pool')
  const effects = estimates.map(({ p50, ci95: [low, high] }) => ({
    log: Math.log(p50),
    variance: Math.max(LEAST_ERROR, Math.log(high / low) / 2 / Z95) ** 2,
  }))
  const between = betweenVariance(effects)
  const weights = effects.map(({ variance }) => 1 / (variance + between))
  const total = sum(weights)
  const mean = sum(effects.map(({ log }, i) => log * (weights[i] ?? 0))) / total
  const half = Z95 * Math.sqrt(1 / total + addedError ** 2)
  return { p50: Math.exp(mean), ci95: [Math.exp(mean - half), Math.exp(mean + half)] }
}

function betweenVariance(
  effects: readonly { readonly log: number; readonly variance: number }[],
): number {
  const weights = effects.map(({ variance }) => 1 / variance)
  const total = sum(weights)
  const mean = sum(effects.map(({ log }, i) => log * (weights[i] ?? 0))) / total
  const q = sum(effects.map(({ log }, i) => (weights[i] ?? 0) * (log - mean) ** 2))
  const scale = total - sum(weights.map((weight) => weight ** 2)) / total
  return scale <= 0 ? 0 : Math.max(0, (q - (effects.length - 1)) / scale)
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0)
}
