import type { Range } from '../../graph/index.ts'
import type { HistogramData, TensorStatistics } from '../observers/statistics.ts'

/** Bins of magnitude the distributions are compared on, and levels of the code. */
const BINS = 2048
const LEVELS = 128
const STRIDE = 16

/**
 * The threshold whose coded distribution of magnitudes diverges least (Kullback–Leibler) from the real
 * one: Migacz, "8-bit inference with TensorRT", 2017.
 */
export function entropyRange({ histogram, min, max }: TensorStatistics): Range {
  const largest = Math.max(-min, max)
  if (!(largest > 0)) return { min, max }
  const counts = magnitudeCounts(histogram, largest)
  let best = BINS
  let least = Number.POSITIVE_INFINITY
  for (let kept = LEVELS; kept <= BINS; kept += STRIDE) {
    const divergence = divergenceAt(counts, kept)
    if (divergence < least) [best, least] = [kept, divergence]
  }
  const threshold = ((best + 0.5) / BINS) * largest
  return { min: Math.max(min, -threshold), max: Math.min(max, threshold) }
}

function magnitudeCounts({ bins, offset, width, zeros }: HistogramData, largest: number) {
  const counts = new Float64Array(BINS)
  bins.forEach((count, i) => {
    const numbers = i === offset ? count - zeros : count
    if (numbers <= 0) return
    const magnitude = Math.abs((i + 0.5 - offset) * width)
    const bin = Math.min(BINS - 1, Math.floor((magnitude / largest) * BINS))
    counts[bin] = (counts[bin] as number) + numbers
  })
  return counts
}

function divergenceAt(counts: Float64Array, kept: number): number {
  const real = counts.slice(0, kept)
  const cut = counts.subarray(kept).reduce((sum, count) => sum + count, 0)
  real[kept - 1] = (real[kept - 1] as number) + cut
  const total = real.reduce((sum, count) => sum + count, 0)
  let divergence = 0
  for (let level = 0; level < LEVELS; level += 1) {
    const start = Math.floor((level * kept) / LEVELS)
    const end = Math.floor(((level + 1) * kept) / LEVELS)
    divergence += levelDivergence(real.subarray(start, end), counts.subarray(start, end), total)
  }
  return divergence
}

/** One code stands for all bins of its level that hold numbers: it spreads them evenly. */
function levelDivergence(real: Float64Array, inside: Float64Array, total: number): number {
  const occupied = inside.reduce((bins, count) => bins + (count > 0 ? 1 : 0), 0)
  const numbers = inside.reduce((sum, count) => sum + count, 0)
  const even = occupied === 0 ? 0 : numbers / occupied
  let divergence = 0
  real.forEach((count) => {
    if (count > 0) divergence += (count / total) * Math.log(count / Math.max(even, 1e-4))
  })
  return divergence
}
