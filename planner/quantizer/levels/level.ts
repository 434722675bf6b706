/** How near a file's outputs come to the float model's, on samples that recovery did not learn from where there are enough. */
export interface Level {
  readonly samples: number
  /** Whether nothing was learnt from these samples. */
  readonly heldOut: boolean
  readonly outputs: readonly OutputLevel[]
}

export interface OutputLevel {
  readonly name: string
  /** Signal to quantization noise, dB. */
  readonly sqnrDb: number
  /** How far off it may be on other samples, dB to either side (95 %); null where one sample cannot tell. */
  readonly spreadDb: number | null
  /** Parts that differ in range, or that were merged; empty where the output is of one piece. */
  readonly slices: readonly SliceLevel[]
}

/** Some channels of an output, judged by themselves. */
export interface SliceLevel {
  /** `scores[4:85]`, or `y[:,0,3:8]` along an axis before the last. */
  readonly name: string
  readonly sqnrDb: number
  /** Null where it lives. */
  readonly died: Death | null
}

/** A single code where float varies, or more noise than numbers bear. */
export type Death = 'one-code' | 'noise'

/** Below this what is left of a slice is of no use. */
export const DEAD_DB = 10

/** Noise of a tenth of the signal: answers change. */
export const NOISY_DB = 20

/** So far to either side a level tells little. */
export const UNSETTLED_DB = 6
