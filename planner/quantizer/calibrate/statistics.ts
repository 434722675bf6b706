import type { TensorId } from '../../formats/graph.ts'

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
  readonly histogram: HistogramData
  /** Means along the last dimension; null where nobody asked. */
  readonly channelMeans: Float64Array | null
  /** Infinite numbers, and magnitudes of float maxima: kept out of everything above. */
  readonly ignored: number
  readonly nan: number
}

/** Bin `i` counts numbers in [(i − offset) × width, (i + 1 − offset) × width). */
export interface HistogramData {
  readonly bins: Float64Array
  readonly offset: number
  readonly width: number
  /** Exact zeros, also counted in bin `offset`. */
  readonly zeros: number
}
