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
  const effects = effectsOf(estimates)
  const { total: precision, q, weights } = weighed(effects)
  const scale = precision - sum(weights.map((weight) => weight ** 2)) / precision
  const between = scale <= 0 ? 0 : Math.max(0, (q - (effects.length - 1)) / scale)
  const { mean, total } = weighed(effects, between)
  return ratioAt(mean, Math.sqrt(1 / total + addedError ** 2))
}

/**
 * The same of one device, asked more than once: there is one truth, and the surest measurement of it counts most, however
 * wide another is. Where they disagree the whole is that much less sure. (Birge 1932, Physical Review 40:207.)
 */
export function repeatedRatio(estimates: readonly RatioEstimate[]): RatioEstimate {
  const { mean, total, q } = weighed(effectsOf(estimates))
  const disagreement = estimates.length > 1 ? q / (estimates.length - 1) : 1
  return ratioAt(mean, Math.sqrt(Math.max(1, disagreement) / total))
}

interface Effect {
  readonly log: number
  readonly variance: number
}

function effectsOf(estimates: readonly RatioEstimate[]): readonly Effect[] {
  invariant(estimates.length > 0, 'nothing to pool')
  return estimates.map(({ p50, ci95: [low, high] }) => ({
    log: Math.log(p50),
    variance: Math.max(LEAST_ERROR, Math.log(high / low) / 2 / Z95) ** 2,
  }))
}

/** By their precision; `q`: squares of what they are apart, in units of their errors. */
function weighed(effects: readonly Effect[], more = 0) {
  const weights = effects.map(({ variance }) => 1 / (variance + more))
  const total = sum(weights)
  const mean = sum(effects.map(({ log }, i) => log * (weights[i] ?? 0))) / total
  const q = sum(effects.map(({ log }, i) => (weights[i] ?? 0) * (log - mean) ** 2))
  return { weights, total, mean, q }
}

function ratioAt(log: number, error: number): RatioEstimate {
  const half = Z95 * error
  return { p50: Math.exp(log), ci95: [Math.exp(log - half), Math.exp(log + half)] }
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0)
}
