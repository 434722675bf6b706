import { sizeOf } from '../../../shared/tensors.ts'
import type { TensorId } from '../../formats/graph.ts'
import { SENTINEL_MAGNITUDE } from '../parameters/activation.ts'
import { ChannelObserver, ENOUGH_ROWS } from './channel-observer.ts'
import { Histogram } from './histogram.ts'
import { MomentsObserver, type MomentsPlan } from './moments.ts'
import type { TensorStatistics } from './statistics.ts'
import { strideFor } from './stride.ts'
import type { ActivationSummary } from './summary.ts'

/** Weight of the past in the moving averages (ai-edge-quantizer's default). */
const MEMORY = 0.95

/** Numbers that a histogram needs to tell tails apart; beyond, it counts every nth. Extremes are always exact. */
const ENOUGH_NUMBERS = 2 ** 18

export interface ObserverPlan {
  readonly tensor: TensorId
  /** How many channels to tell apart, or 0. */
  readonly channels: number
  /** They are the second dimension instead of the last, and the first is 1. */
  readonly channelsFirst?: boolean
  /** Samples it is going to see. */
  readonly samples: number
  readonly moments?: readonly MomentsPlan[]
  /** The runtime tells what it found out, instead of all numbers. */
  readonly summarised?: boolean
}

/** At which share of an activation's positions an observer wants to see it: every nth. */
export function sampleStride(
  { samples, channels }: ObserverPlan,
  shape: readonly number[],
): number {
  const numbers = sizeOf(shape) * samples
  const forRanges = strideFor(numbers, ENOUGH_NUMBERS)
  return channels === 0
    ? forRanges
    : Math.min(forRanges, strideFor(numbers / channels, ENOUGH_ROWS))
}

/** Sees an activation once per sample and keeps statistics of constant size. */
export class TensorObserver {
  readonly #plan: ObserverPlan
  readonly #histogram = new Histogram()
  readonly #channels: ChannelObserver | null
  readonly #moments: readonly MomentsObserver[]
  #samples = 0
  #count = 0
  #min = Number.POSITIVE_INFINITY
  #max = Number.NEGATIVE_INFINITY
  #movingMin = 0
  #movingMax = 0
  #ignored = 0
  #nan = 0
  #sharp = true

  constructor(plan: ObserverPlan) {
    this.#plan = plan
    this.#channels = plan.channels === 0 ? null : new ChannelObserver(plan)
    this.#moments = (plan.moments ?? []).map((one) => new MomentsObserver(one, plan.samples))
  }

  /** Reads `values` and keeps no reference: they may be a view of a heap that moves. */
  see(values: Float32Array): void {
    const { min, max, finite } = extremesOf(values)
    if (finite) this.#take(values, min, max)
    else this.#takeFinite(values)
    if (finite) this.#lookCloser(values)
  }

  /** The same from what the runtime found out. Numbers that are none can only be told when all are seen. */
  seeSummary({ min, max, sum, values }: ActivationSummary): void {
    if (!(Number.isFinite(sum) && min > -SENTINEL_MAGNITUDE && max < SENTINEL_MAGNITUDE)) {
      this.#sharp = false
      return
    }
    this.#take(values, min, max)
    this.#lookCloser(values)
  }

  /** False where a summary was not enough to go by. */
  get isSharp(): boolean {
    return this.#sharp
  }

  #lookCloser(values: Float32Array): void {
    this.#channels?.see(values)
    for (const observer of this.#moments) observer.see(values)
  }

  result(): TensorStatistics {
    const { bins, offset, width, zeros } = this.#histogram
    return {
      tensor: this.#plan.tensor,
      count: this.#count,
      min: this.#min,
      max: this.#max,
      movingMin: this.#movingMin,
      movingMax: this.#movingMax,
      histogram: { bins, offset, width, zeros },
      channels: this.#channels?.result() ?? null,
      moments: this.#moments.map((observer) => observer.result()),
      ignored: this.#ignored,
      nan: this.#nan,
    }
  }

  #take(values: Float32Array, min: number, max: number): void {
    if (values.length === 0) return
    const stride = strideFor(values.length * this.#plan.samples, ENOUGH_NUMBERS)
    this.#histogram.add(values, min, max, this.#samples % stride, stride)
    this.#count += values.length
    this.#remember(min, max)
  }

  #takeFinite(values: Float32Array): void {
    const finite = values.filter((value) => Math.abs(value) < SENTINEL_MAGNITUDE)
    const nan = values.filter(Number.isNaN).length
    this.#nan += nan
    this.#ignored += values.length - finite.length - nan
    const { min, max } = extremesOf(finite)
    this.#take(finite, min, max)
  }

  #remember(min: number, max: number): void {
    const past = this.#samples === 0 ? 0 : MEMORY
    this.#movingMin = past * this.#movingMin + (1 - past) * min
    this.#movingMax = past * this.#movingMax + (1 - past) * max
    this.#min = Math.min(this.#min, min)
    this.#max = Math.max(this.#max, max)
    this.#samples += 1
  }
}

interface Extremes {
  readonly min: number
  readonly max: number
  /** All are numbers, and none a sentinel. */
  readonly finite: boolean
}

/** One pass, for it runs over every number of every activation of every sample. */
function extremesOf(values: Float32Array): Extremes {
  let min = 0
  let max = 0
  let poison = 0
  if (values.length > 0) {
    min = values[0] as number
    max = min
  }
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] as number
    if (value < min) min = value
    if (value > max) max = value
    // 0 for numbers; NaN for NaN and infinities, and NaN it stays.
    poison += value - value
  }
  const finite = poison === 0 && min > -SENTINEL_MAGNITUDE && max < SENTINEL_MAGNITUDE
  return { min, max, finite }
}
