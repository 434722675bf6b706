import type { Channel } from './channels.ts'

/** How far what a device sees is from the reference, channel by channel. */
export interface Distance {
  readonly name: string
  /** Population stability index. */
  readonly psi: number
  /** PSI beyond what samples of these sizes show by chance: above 0 once in 10⁶ looks where nothing has changed. */
  readonly drift: number
  /** Kolmogorov–Smirnov statistic at the edges: never above that of the values themselves. Null for classes. */
  readonly ks: number | null
  /** Chance of such a statistic, or a larger one, where nothing has changed. Null for classes. */
  readonly ksP: number | null
  /** Samples of the reference, and of the device. */
  readonly samples: readonly [number, number]
}

/** Normal quantile of 1 − 10⁻⁶. */
const Z_CHANCE = 4.753424308822899

/** Of counts in the channel's bins; null where one of the two has no samples. */
export function distanceFrom(channel: Channel, counts: readonly number[]): Distance | null {
  const m = sum(channel.counts)
  const n = sum(counts)
  if (m === 0 || n === 0 || counts.length !== channel.counts.length) return null
  const psi = stabilityIndex(channel.counts, counts, m, n)
  const filled = channel.counts.filter((count, i) => count > 0 || (counts[i] as number) > 0).length
  // PSI of two samples of one population is about (1/n + 1/m)·χ² with a degree less than bins (Yurdakul, 2018).
  const chance = (1 / m + 1 / n) * chiSquareQuantile(Math.max(1, filled - 1))
  const ks = channel.kind === 'numbers' ? largestGap(channel.counts, counts, m, n) : null
  return {
    name: channel.name,
    psi,
    drift: Math.max(0, psi - chance),
    ks,
    ksP: ks === null ? null : kolmogorovTail(ks, (m * n) / (m + n)),
    samples: [m, n],
  }
}

/** Σ (p − q)·ln(p/q), each bin half a sample fuller (Jeffreys), so that an empty one has a logarithm. */
function stabilityIndex(
  reference: readonly number[],
  counts: readonly number[],
  m: number,
  n: number,
): number {
  const bins = reference.length
  return reference.reduce((total, count, i) => {
    const p = ((counts[i] as number) + 0.5) / (n + bins / 2)
    const q = (count + 0.5) / (m + bins / 2)
    return total + (p - q) * Math.log(p / q)
  }, 0)
}

function largestGap(
  reference: readonly number[],
  counts: readonly number[],
  m: number,
  n: number,
): number {
  let gap = 0
  let below = 0
  let seen = 0
  reference.forEach((count, i) => {
    below += count / m
    seen += (counts[i] as number) / n
    gap = Math.max(gap, Math.abs(below - seen))
  })
  return gap
}

/** Upper quantile 1 − 10⁻⁶ of χ² with so many degrees of freedom. (Wilson & Hilferty, PNAS 17, 1931.) */
function chiSquareQuantile(degrees: number): number {
  const part = 2 / (9 * degrees)
  return degrees * (1 - part + Z_CHANCE * Math.sqrt(part)) ** 3
}

/** P(D ≥ d) of Kolmogorov's distribution, with Stephens' correction for small samples (JRSS B 32, 1970). */
export function kolmogorovTail(d: number, samples: number): number {
  const root = Math.sqrt(samples)
  const x = (root + 0.12 + 0.11 / root) * d
  if (x < 0.2) return 1
  let total = 0
  for (let k = 1; k <= 100; k += 1) {
    const term = Math.exp(-2 * k * k * x * x)
    total += k % 2 === 1 ? term : -term
    if (term < 1e-18) break
  }
  return Math.min(1, Math.max(0, 2 * total))
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}
