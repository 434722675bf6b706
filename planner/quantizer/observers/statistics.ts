import type { OperatorId, TensorId } from '../../graph/index.ts'
import type { LevelCounts } from './levels.ts'

/** What calibration remembers of one activation: constant in size, whatever the number of samples. */
export interface TensorStatistics {
  readonly tensor: TensorId
  /** Numbers seen, without the ignored ones. */
  readonly count: number
  readonly min: number
  readonly max: number
  /** Moving averages of the samples' extremes. */
  readonly movingMin: number
  readonly movingMax: number
  /** Sum of the weights in them: below 1 where some samples were not seen. */
  readonly movingWeight: number
  readonly histogram: HistogramData
  readonly levels: LevelCounts
  /** Null where nobody asked. */
  readonly channels: ChannelStatistics | null
  /** One for each product that asked. */
  readonly moments: readonly SecondMoments[]
  /** Infinite numbers, and magnitudes of float maxima: kept out of everything above. */
  readonly ignored: number
  readonly nan: number
}

/** Of each channel of an activation, over positions and samples. */
export interface ChannelStatistics {
  /** Positions seen. */
  readonly rows: number
  readonly means: Float64Array
  /** Mean squares. */
  readonly squares: Float64Array
  readonly min: Float64Array
  readonly max: Float64Array
}

/** Σ x xᵀ of the numbers that a product multiplies with each row of its weight. */
export interface SecondMoments {
  readonly operator: OperatorId
  /** Vectors seen. */
  readonly rows: number
  /** Where each matrix stands, and its lower triangle, row-major. */
  readonly blocks: readonly MomentBlock[]
}

/** Matrices for a part of the inputs of one group of channels: `start` counts within the group. */
export interface MomentBlock {
  readonly group: number
  readonly start: number
  readonly size: number
  readonly sums: Float64Array
}

/** Bin `i` counts numbers in [(i − offset) × width, (i + 1 − offset) × width). */
export interface HistogramData {
  readonly bins: Float64Array
  readonly offset: number
  readonly width: number
  /** Exact zeros, also counted in bin `offset`. */
  readonly zeros: number
}
