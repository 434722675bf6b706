import type { SourceTreatment } from '../graph/index.ts'
import type { AccuracyBudget } from './accuracy-control/options.ts'
import type { CompressionOptions } from './compression/options.ts'
import type { OperatorSelector } from './plan/selectors.ts'
import type { RangeMethod } from './ranges/methods.ts'
import type { RecoveryMethod } from './recovery/recover.ts'

export interface QuantizeOptions {
  /** How activation ranges are found. */
  readonly ranges?: RangeMethod | 'auto'
  /** Ways to win accuracy back; the usual ones, which cost little, where absent. */
  readonly recovery?: readonly RecoveryMethod[]
  /** Operators to leave in float; the scheme's name then ends in `-mixed`. */
  readonly keepFloat?: readonly OperatorSelector[]
  /** What to do with constants that the source stores as integers or halves; `dequantize` where absent. */
  readonly sources?: SourceTreatment
  /**
   * One scale per output channel of fully-connected weights, where kernels have a choice. Off for
   * runtimes and accelerators that take one scale only.
   */
  readonly perChannelFullyConnected?: boolean
  /** The same for `dynamic-w8`: far more accurate, but needs TensorFlow Lite 2.17 or LiteRT. Off for older ones. */
  readonly perChannelHybridFullyConnected?: boolean
  /** Leave operators in float whose sums often saturate in 16 bits, on x86 without VNNI. */
  readonly spareSaturating?: boolean
  /** Signal to noise that every output must reach, dB, without a slice that died; an error finding where one does not. */
  readonly minSqnrDb?: number
  /** Leave operators in float where quantizing all of them loses more. */
  readonly budget?: AccuracyBudget
  /**
   * Oldest TensorFlow Lite release that must load the file, e.g. `2.5.0`. Operators whose integer form is newer stay in
   * float; where even float is newer there is no file.
   */
  readonly release?: string
  /** Prune or cluster the weights before anything else. */
  readonly compression?: CompressionOptions
}
