import { meanOf, medianOf, sorted } from '../statistics/index.ts'

const MAX_LAG = 100
/** Correlation below this is taken for chance. */
const NEGLIGIBLE = 0.05

/**
 * How many independent samples these are worth: n / (1 + 2·Σρₖ), summed until the correlation dies away.
 * (Initial positive sequence: Geyer 1992, Statistical Science 7:473.)
 */
export function effectiveSize(values: ArrayLike<number>): number {
  const n = values.length
  const mean = meanOf(values)
  const deviation = Float64Array.from({ length: n }, (_, i) => (values[i] ?? 0) - mean)
  const covariance = (lag: number) => {
    let sum = 0
    for (let i = lag; i < n; i++) sum += (deviation[i] ?? 0) * (deviation[i - lag] ?? 0)
    return sum
  }
  const variance = covariance(0)
  if (variance === 0) return n
  let correlations = 0
  for (let lag = 1; lag < Math.min(MAX_LAG, n >> 1); lag++) {
    const correlation = covariance(lag) / variance
    if (correlation < NEGLIGIBLE) break
    correlations += correlation
  }
  return Math.max(1, Math.round(n / (1 + 2 * correlations)))
}

/** Median of the slopes between all pairs of points: robust against outliers. (Sen 1968, JASA 63:1379.) */
export function theilSenSlope(x: readonly number[], y: readonly number[]): number {
  const slopes: number[] = []
  for (let i = 0; i < x.length; i++)
    for (let j = i + 1; j < x.length; j++) {
      const run = (x[j] ?? 0) - (x[i] ?? 0)
      if (run !== 0) slopes.push(((y[j] ?? 0) - (y[i] ?? 0)) / run)
    }
  return slopes.length === 0 ? 0 : medianOf(sorted(slopes))
}

/** 99 %, two-sided. */
const Z99 = 2.5758293035489004

/** Whether values rise or fall by more than chance lets them: below six nothing does. (Mann 1945, Econometrica 13:245; Kendall 1955.) */
export function isTrend(values: readonly number[]): boolean {
  const n = values.length
  let rising = 0
  for (let i = 0; i < n; i++)
    for (let j = i + 1; j < n; j++) rising += Math.sign((values[j] ?? 0) - (values[i] ?? 0))
  const variance = (n * (n - 1) * (2 * n + 5)) / 18
  return Math.abs(rising) > 1 + Z99 * Math.sqrt(variance)
}
