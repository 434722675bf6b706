import type { OperatorSelector } from '../plan/selectors.ts'

/** Changes to the weights before they are quantized, for a smaller download. At least one of the two. */
export interface CompressionOptions {
  /** Share of each layer's weights that becomes zero, the smallest first: 0 < share < 1. */
  readonly prune?: number
  /** Values that the weights of a layer may have: 4 … 256. */
  readonly cluster?: number
  /** Layers to compress too although they are spared by default. */
  readonly also?: readonly Sparing[]
  /** Weights with fewer elements are `small`; 512 where absent. */
  readonly minimumElements?: number
  /** Layers to leave as they are. */
  readonly keep?: readonly OperatorSelector[]
}

/** Why a layer is left alone unless asked for: it pays with much accuracy for few bytes. */
export const SPARINGS = {
  first: 'it is the first layer, which everything else builds on',
  depthwise: 'each of its channels has a few weights of its own only',
  small: 'it has too few weights to save bytes worth an error',
} as const

export type Sparing = keyof typeof SPARINGS

export const SPARING_NAMES = Object.keys(SPARINGS) as Sparing[]

export const MINIMUM_ELEMENTS = 512
export const FEWEST_CLUSTERS = 4
export const MOST_CLUSTERS = 256
