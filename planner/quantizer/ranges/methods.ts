import type { Range } from '../../graph/index.ts'
import type { HistogramData, TensorStatistics } from '../observers/statistics.ts'
import { ClippingError } from './clipping.ts'
import { entropyRange } from './entropy.ts'
import type { Reading } from './reading.ts'

/** Share of the numbers that a percentile range keeps (onnxruntime's choice). */
const PERCENTILE = 0.99999

/** Shares of the full range that the search tries for each end. */
const SEARCH_STEPS = 40
const SEARCH_START = 0.2
/** A rectifier may leave nothing of one end. */
const READ_START = 0

/** Ways from statistics to a range; `steps` is the number of steps of the code (255 for int8). */
export const RANGE_METHODS = {
  'min-max': ({ min, max }: TensorStatistics): Range => ({ min, max }),
  'moving-average': ({ movingMin, movingMax }: TensorStatistics): Range => ({
    min: movingMin,
    max: movingMax,
  }),
  percentile: percentileRange,
  entropy: entropyRange,
  mse: leastSquaresRange,
} as const

export type RangeMethod = keyof typeof RANGE_METHODS

export const RANGE_NAMES = Object.keys(RANGE_METHODS) as RangeMethod[]

function percentileRange(statistics: TensorStatistics): Range {
  const { histogram } = statistics
  const counted = histogram.bins.reduce((sum, count) => sum + count, 0)
  const outside = (counted * (1 - PERCENTILE)) / 2
  return withinSeen(statistics, {
    min: edgeOf(histogram, outside, 'low'),
    max: edgeOf(histogram, outside, 'high'),
  })
}

/** The border beyond which `outside` numbers lie. */
function edgeOf({ bins, offset, width }: HistogramData, outside: number, end: 'low' | 'high') {
  let seen = 0
  for (let i = 0; i < bins.length; i += 1) {
    const bin = end === 'low' ? i : bins.length - 1 - i
    seen += bins[bin] as number
    if (seen > outside) return (bin + (end === 'low' ? 0 : 1) - offset) * width
  }
  return 0
}

/** Ends moved inwards, one after the other, to where cutting off costs as much as finer steps gain. */
function leastSquaresRange(
  statistics: TensorStatistics,
  steps: number,
  reading: Reading | null = null,
): Range {
  const error = new ClippingError(statistics.histogram, reading)
  const shares = sharesFrom(reading === null ? SEARCH_START : READ_START)
  const full = { min: Math.min(statistics.min, 0), max: Math.max(statistics.max, 0) }
  let best: Range = full
  for (let round = 0; round < 2; round += 1) {
    best = bestOf(
      error,
      steps,
      shares.map((share) => ({ ...best, max: full.max * share })),
      best,
    )
    best = bestOf(
      error,
      steps,
      shares.map((share) => ({ ...best, min: full.min * share })),
      best,
    )
  }
  return best
}

function bestOf(error: ClippingError, steps: number, candidates: Range[], start: Range): Range {
  let best = start
  let least = error.of(start, steps)
  for (const candidate of candidates) {
    const found = error.of(candidate, steps)
    if (found < least) [best, least] = [candidate, found]
  }
  return best
}

function sharesFrom(start: number): number[] {
  return Array.from({ length: SEARCH_STEPS }, (_, i) => start + ((1 - start) * i) / SEARCH_STEPS)
}

/** Bins are coarser than numbers: never claim more than was seen. */
function withinSeen({ min, max }: TensorStatistics, range: Range): Range {
  return { min: Math.max(min, range.min), max: Math.min(max, range.max) }
}
