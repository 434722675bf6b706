import type { ChannelStatistics } from '../../observers/statistics.ts'
import { type Coupling, couplingOf, type Matrix, peaksByInput } from './coupling.ts'

/** What the choice of scales between two products looks at. */
export interface Between {
  /** Largest magnitude of each channel of the first weight. */
  readonly firstPeaks: Float64Array
  readonly second: Matrix
  /** Weights of the second one for each pair of channels. */
  readonly taps: number
  /** Of what the second one reads. */
  readonly channels: ChannelStatistics
  readonly ceiling: number
  /** Whether each weight has one scale for all its channels. */
  readonly perTensor: { readonly first: boolean; readonly second: boolean }
  /** Σ E[x²] over what an output of the first one reads; 0 where it is not known. */
  readonly inputEnergy: number
}

/** How far a channel may be moved: beyond, biases and dead channels get out of hand. */
const FURTHEST = 64

/** A pair is worth changing where this share of its noise, or less, remains. */
const WORTHWHILE = 0.8

export interface ChosenScales {
  readonly scales: Float64Array
  /** Of the expected noise. */
  readonly remaining: number
}

/** How much of the balance goes to the first factor: Nagel et al. 2019 take a half, SmoothQuant others too. */
const SHARES = [0.25, 0.5, 0.75, 1]

/** A step of an 8-bit code, as a share of the range; squared and by 12, its rounding noise. */
const CODE_STEPS = 255
const WEIGHT_STEPS = 127

/**
 * Divisors for the first product's channels, by which the second one's are multiplied, with the least expected
 * rounding noise behind the second; null where none is clearly better than leaving them alone.
 */
export function chooseScales(between: Between): ChosenScales | null {
  const count = between.channels.max.length
  const coupling = couplingOf(between.second, count)
  const before = expectedNoise(between, coupling, new Float64Array(count).fill(1))
  const found = candidates(between, coupling).map((scales) => ({
    scales,
    remaining: expectedNoise(between, coupling, scales) / before,
  }))
  const best = found.reduce((a, b) => (b.remaining < a.remaining ? b : a))
  return best.remaining < WORTHWHILE ? best : null
}

function candidates(
  { channels, firstPeaks, ceiling }: Between,
  coupling: Coupling,
): Float64Array[] {
  const largest = peaksByInput(coupling)
  const peaks = channels.max.map((max, i) => Math.max(max, -(channels.min[i] as number), 0))
  return [peaks, firstPeaks].flatMap((spread) =>
    SHARES.map((share) => {
      const raw = spread.map((value, i) => value ** share / (largest[i] as number) ** (1 - share))
      return legal(raw, peaks, ceiling)
    }),
  )
}

/** Dead channels stay; a channel that its ReLU6 clips too; and none may grow until it is clipped. */
function legal(raw: Float64Array, peaks: Float64Array, ceiling: number): Float64Array {
  const clipped = (i: number) => (peaks[i] as number) >= 0.999 * ceiling
  const alive = [...raw].filter((value, i) => isUseful(value) && (peaks[i] as number) > 0)
  const fixed = [...raw].filter((value, i) => isUseful(value) && clipped(i))
  const middle = medianOf(fixed.length > 0 ? fixed : alive)
  return raw.map((value, i) => {
    if (!isUseful(value) || clipped(i) || !((peaks[i] as number) > 0)) return 1
    const scale = Math.min(FURTHEST, Math.max(1 / FURTHEST, value / middle))
    return Math.max(scale, (1.05 * (peaks[i] as number)) / ceiling)
  })
}

function isUseful(value: number): boolean {
  return value > 0 && Number.isFinite(value)
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 1
}

/** Variance behind the second product from rounding what is between, and both weights. */
function expectedNoise(between: Between, coupling: Coupling, scales: Float64Array): number {
  const { channels, perTensor, firstPeaks, inputEnergy } = between
  const { largest, energy } = coupling
  const count = scales.length
  // The first weight's own scale per channel would make its noise follow the channel, whatever it is divided by.
  const firstPeak = perTensor.first
    ? largestOf(firstPeaks.map((peak, i) => peak / (scales[i] as number)))
    : 0
  const rounding =
    (rangeOf(channels, scales) / CODE_STEPS) ** 2 + inputEnergy * (firstPeak / WEIGHT_STEPS) ** 2
  const squares = channels.squares.map((square, i) => square / (scales[i] as number) ** 2)
  const peaks = largest.map((value, at) => value * (scales[at % count] as number))
  const overall = perTensor.second ? largestOf(peaks) : 0
  let noise = 0
  for (let start = 0; start < largest.length; start += count) {
    const peak = overall || largestOf(peaks.subarray(start, start + count))
    const step = (peak / WEIGHT_STEPS) ** 2
    for (let i = 0; i < count; i += 1) {
      // A depthwise output reads one channel, and its weight rounds on that alone.
      if (largest[start + i] === 0) continue
      noise += rounding * (energy[start + i] as number) * (scales[i] as number) ** 2
      noise += between.taps * step * (squares[i] as number)
    }
  }
  return noise / 12
}

function largestOf(values: Float64Array): number {
  let largest = 0
  for (const value of values) if (value > largest) largest = value
  return largest
}

function rangeOf({ min, max }: ChannelStatistics, scales: Float64Array): number {
  let [low, high] = [0, 0]
  scales.forEach((scale, i) => {
    low = Math.min(low, (min[i] as number) / scale)
    high = Math.max(high, (max[i] as number) / scale)
  })
  return high - low
}
