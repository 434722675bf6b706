import { sizeOf } from '../../shared/tensors.ts'
import type { OperatorId, TensorId, WindowAxis } from './graph.ts'
import type { SummaryPart } from './summary.ts'

export interface ObserverPlan {
  readonly tensor: TensorId
  /** How many channels to tell apart, or 0. */
  readonly channels: number
  /** They are the second dimension instead of the last, and the first is 1. */
  readonly channelsFirst?: boolean
  /** Samples it is going to see. */
  readonly samples: number
  readonly moments?: readonly MomentsPlan[]
  /** All that is asked for: no range; of means, nothing at all where there are no channels. */
  readonly only?: 'means' | 'moments'
  /** The runtime tells these, instead of all numbers. */
  readonly summary?: readonly SummaryPart[]
}

/** How the numbers that one product multiplies with a row of its weight lie in its activation. */
export interface MomentsPlan {
  readonly operator: OperatorId
  /** Input channels of one group; all where there is one group. */
  readonly width: number
  readonly groups: number
  readonly channelsFirst: boolean
  /** Spatial dimensions in order; empty where each position is a vector. */
  readonly window: readonly WindowAxis[]
}

/** Numbers that a histogram needs to tell tails apart; beyond, it counts every nth. Extremes are of all that is shown. */
export const ENOUGH_NUMBERS = 2 ** 18

/** Positions that means need where each one seen is copied out of a runtime: their error is a 32nd of a deviation. */
const ENOUGH_COPIED_ROWS = 2 ** 10

/** At which share of an activation's positions an observer wants to see it: every nth. */
export function sampleStride(
  { samples, channels }: ObserverPlan,
  shape: readonly number[],
): number {
  const numbers = sizeOf(shape) * samples
  const forRanges = strideFor(numbers, ENOUGH_NUMBERS)
  return channels === 0
    ? forRanges
    : Math.min(forRanges, strideFor(numbers / channels, ENOUGH_COPIED_ROWS))
}

/** Every nth of `expected` gives about `enough`. Odd, so that it does not keep step with channels, which come in even numbers. */
export function strideFor(expected: number, enough: number): number {
  const stride = Math.max(1, Math.floor(expected / enough))
  return stride % 2 === 0 ? stride - 1 : stride
}
