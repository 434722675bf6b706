import { Z95 } from './normal.ts'
import { medianOf, sorted } from './order-statistics.ts'

/** Below six values the signed ranks have no two-sided 95 % interval. */
const FEWEST_FOR_SIGNED_RANKS = 6
/** From here on the sum of ranks is as good as normal. */
const EXACT_UP_TO = 50

interface CentreEstimate {
  readonly centre: number
  readonly ci95: [number, number]
}

/**
 * Centre of paired differences and its 95 % confidence interval: the median of all pairwise means, and the means
 * whose ranks Wilcoxon's statistic leaves outside at most 2.5 % on each side. Single wild pairs move neither much.
 * (Hodges & Lehmann 1963; Hollander & Wolfe, Nonparametric Statistical Methods, §3.2 and §3.3.)
 * @returns undefined of fewer than six values: there is no such interval
 */
export function hodgesLehmann(values: readonly number[]): CentreEstimate | undefined {
  const n = values.length
  if (n < FEWEST_FOR_SIGNED_RANKS) return undefined
  const means = walshAverages(values)
  const cut = cutOf(n)
  const ci95: [number, number] = [means[cut] ?? 0, means[means.length - 1 - cut] ?? 0]
  return { centre: medianOf(means), ci95 }
}

/** Means of all pairs, each value with itself too, sorted. */
function walshAverages(values: readonly number[]): Float64Array {
  const n = values.length
  const means = new Float64Array((n * (n + 1)) / 2)
  let next = 0
  for (let i = 0; i < n; i++)
    for (let j = i; j < n; j++) means[next++] = ((values[i] ?? 0) + (values[j] ?? 0)) / 2
  return sorted(means)
}

/** Largest k that the sum of positive ranks stays at or below with probability 2.5 % or less. */
function cutOf(n: number): number {
  const most = (n * (n + 1)) / 2
  if (n > EXACT_UP_TO) {
    const spread = Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24)
    return Math.max(0, Math.floor(most / 2 - Z95 * spread - 0.5))
  }
  // ways[s]: subsets of the ranks 1…n with sum s, as shares of all 2ⁿ.
  const ways = new Float64Array(most + 1)
  ways[0] = 1
  for (let rank = 1; rank <= n; rank++)
    for (let sum = most; sum >= 0; sum--)
      ways[sum] = ((ways[sum] ?? 0) + (sum >= rank ? (ways[sum - rank] ?? 0) : 0)) / 2
  let below = 0
  for (let sum = 0; sum <= most; sum++) {
    below += ways[sum] ?? 0
    if (below > 0.025) return Math.max(0, sum - 1)
  }
  return 0
}
