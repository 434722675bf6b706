import type { Dataset } from '../../../shared/dataset/index.ts'

/** What may be lost to quantization. Where it is more, operators go back to float, the most harmful for their cost first. */
export interface AccuracyBudget {
  /** Share of the test samples: 0.01 is one point. */
  readonly maxDrop: number
  /**
   * Samples to hold it on: by accuracy where they have labels, else by agreement with the float model. Calibration
   * samples where absent.
   */
  readonly test?: Dataset
}
