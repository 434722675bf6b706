import { Z95 } from './normal.ts'

/** Wilson score interval of a proportion, 95 %. (Wilson 1927, JASA 22:209.) */
export function wilson95(successes: number, trials: number): [number, number] {
  if (trials === 0) return [0, 1]
  const p = successes / trials
  const z2 = Z95 * Z95
  const centre = (p + z2 / (2 * trials)) / (1 + z2 / trials)
  const half = (Z95 / (1 + z2 / trials)) * Math.sqrt((p * (1 - p) + z2 / (4 * trials)) / trials)
  return [Math.max(0, centre - half), Math.min(1, centre + half)]
}

/**
 * Exact two-sided McNemar test of paired answers: may the discordant pairs be a fair coin's?
 * @returns p-value in [0, 1]; 1 where nothing differs
 */
export function mcnemarExact(onlyFirst: number, onlySecond: number): number {
  const n = onlyFirst + onlySecond
  return Math.min(1, 2 * fairCoinCdf(Math.min(onlyFirst, onlySecond), n))
}

/** P(heads ≤ k) in n tosses of a fair coin. */
export function fairCoinCdf(k: number, n: number): number {
  if (k < 0) return 0
  if (k >= n) return 1
  let logTerm = -n * Math.LN2
  let sum = Math.exp(logTerm)
  for (let i = 1; i <= k; i++) {
    logTerm += Math.log((n - i + 1) / i)
    sum += Math.exp(logTerm)
  }
  return Math.min(1, sum)
}
