import type { Dataset } from '../../../shared/dataset/index.ts'
import type { Metric } from '../../../shared/metrics/index.ts'

/** What may be lost to quantization. Where it is more, operators go back to float, the most harmful for their cost first. */
export interface AccuracyBudget {
  /** In hundredths of the metric's points: of a share its difference, of another number what it loses of itself. */
  readonly maxDrop: number
  /** Samples to hold it on. Calibration samples where absent, those that nothing was learnt from where there are enough. */
  readonly test?: Dataset
  /** What it is a budget of: accuracy where absent and samples have classes, else agreement with the float model. */
  readonly metric?: Metric
  /** What the metric must reach, or stay below, at all; an error finding where it does not. */
  readonly minimum?: number
  /** Stops the search where it stands: the best found so far is the answer. */
  readonly signal?: AbortSignal
}
