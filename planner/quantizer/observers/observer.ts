import type { ActivationSummary } from '../../graph/index.ts'
import {
  ENOUGH_NUMBERS,
  type ObserverPlan,
  SENTINEL_MAGNITUDE,
  strideFor,
} from '../../graph/index.ts'
import { ChannelObserver } from './channel-observer.ts'
import { Histogram } from './histogram.ts'
import { Levels } from './levels.ts'
import { MomentsObserver } from './moments.ts'
import type { TensorStatistics } from './statistics.ts'

/** Weight of the past in the moving averages (ai-edge-quantizer's default). */
const MEMORY = 0.95

/** Numbers that tell whether there are but few different ones. */
const ENOUGH_FOR_LEVELS = 2 ** 15

/**
 * Sees an activation once per sample and keeps statistics of constant size. Which samples those are, and in which
 * order they come, makes no difference to what they count: `sample` is its place among all.
 */
export class TensorObserver {
  readonly #plan: ObserverPlan
  readonly #histogram = new Histogram()
  readonly #levels = new Levels()
  readonly #channels: ChannelObserver | null
  readonly #moments: readonly MomentsObserver[]
  #count = 0
  #min = Number.POSITIVE_INFINITY
  #max = Number.NEGATIVE_INFINITY
  #movingMin = 0
  #movingMax = 0
  #movingWeight = 0
  #ignored = 0
  #nan = 0
  #sharp = true

  constructor(plan: ObserverPlan) {
    this.#plan = plan
    this.#channels = plan.channels === 0 ? null : new ChannelObserver(plan)
    this.#moments = (plan.moments ?? []).map((one) => new MomentsObserver(one, plan.samples))
  }

  /** Reads `values` and keeps no reference: they may be a view of a heap that moves. */
  see(values: Float32Array, sample: number): void {
    if (this.#plan.only === 'means') {
      this.#channels?.see(values, sample)
      return
    }
    if (this.#plan.only === 'moments') {
      for (const observer of this.#moments) observer.see(values, sample)
      return
    }
    const { min, max, finite } = extremesOf(values)
    if (finite) {
      this.#take(values, min, max, sample)
      this.#channels?.see(values, sample)
    } else {
      this.#takeFinite(values, sample)
      this.#sharp &&= values.every(Number.isFinite)
    }
  }

  /** The same from what the runtime found out. Numbers that are none can only be told when all are seen. */
  seeSummary({ sum, ...parts }: ActivationSummary, sample: number): void {
    const told = Object.values(parts).map(extremesOf)
    this.#sharp &&= told.every(({ finite }) => finite) && Number.isFinite(sum?.[0] ?? 0)
    if (!this.#sharp) return
    const min = Math.min(...told.map((extremes) => extremes.min))
    const max = Math.max(...told.map((extremes) => extremes.max))
    this.#take(parts.values, min, max, sample)
    this.#channels?.see(parts.values, sample)
  }

  /** False where something was no number: what reads it, and is summed up, may hide that. */
  get isSharp(): boolean {
    return this.#sharp
  }

  result(): TensorStatistics {
    const { bins, offset, width, zeros } = this.#histogram
    return {
      tensor: this.#plan.tensor,
      count: this.#count,
      min: this.#min,
      max: this.#max,
      movingMin: this.#movingMin / (this.#movingWeight || 1),
      movingMax: this.#movingMax / (this.#movingWeight || 1),
      movingWeight: this.#movingWeight,
      histogram: { bins, offset, width, zeros },
      levels: this.#levels.counts,
      channels: this.#channels?.result() ?? null,
      moments: this.#moments.map((observer) => observer.result()),
      ignored: this.#ignored,
      nan: this.#nan,
    }
  }

  #take(values: Float32Array, min: number, max: number, sample: number): void {
    if (values.length === 0) return
    const stride = strideFor(values.length * this.#plan.samples, ENOUGH_NUMBERS)
    this.#histogram.add(values, min, max, sample % stride, stride)
    const sparse = strideFor(values.length * this.#plan.samples, ENOUGH_FOR_LEVELS)
    this.#levels.add(values, sample % sparse, sparse)
    this.#count += values.length
    this.#remember(min, max, sample)
  }

  #takeFinite(values: Float32Array, sample: number): void {
    const finite = values.filter((value) => Math.abs(value) < SENTINEL_MAGNITUDE)
    const nan = values.filter(Number.isNaN).length
    this.#nan += nan
    this.#ignored += values.length - finite.length - nan
    const { min, max } = extremesOf(finite)
    this.#take(finite, min, max, sample)
  }

  #remember(min: number, max: number, sample: number): void {
    const weight = weightOf(sample, this.#plan.samples)
    this.#movingMin += weight * min
    this.#movingMax += weight * max
    this.#movingWeight += weight
    this.#min = Math.min(this.#min, min)
    this.#max = Math.max(this.#max, max)
  }
}

/** Of one sample in a moving average over all: each next one leaves so much of those before. */
function weightOf(sample: number, samples: number): number {
  return (sample === 0 ? 1 : 1 - MEMORY) * MEMORY ** (samples - 1 - sample)
}

interface Extremes {
  readonly min: number
  readonly max: number
  /** All are numbers, and none a sentinel. */
  readonly finite: boolean
}

/**
 * Runs over every number of every activation of every sample. Floats sort like integers once the magnitude bits of
 * negative ones are flipped, NaN beyond infinity at both ends (IEEE 754): integers are compared in a third of the time.
 */
function extremesOf(values: Float32Array): Extremes {
  if (values.length === 0) return { min: 0, max: 0, finite: true }
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length)
  let least = sortable(bits[0] as number)
  let most = least
  for (let i = bits.length % 2; i < bits.length; i += 2) {
    const one = sortable(bits[i] as number)
    const other = sortable(bits[i + 1] as number)
    if (one < least) least = one
    if (one > most) most = one
    if (other < least) least = other
    if (other > most) most = other
  }
  const [min, max] = [floatOf(least), floatOf(most)]
  return { min, max, finite: min > -SENTINEL_MAGNITUDE && max < SENTINEL_MAGNITUDE }
}

/** Its own inverse. */
function sortable(bits: number): number {
  return bits ^ ((bits >> 31) & 0x7fffffff)
}

const ONE_INTEGER = new Int32Array(1)
const ONE_FLOAT = new Float32Array(ONE_INTEGER.buffer)

function floatOf(sorted: number): number {
  ONE_INTEGER[0] = sortable(sorted)
  // Of the two zeros, the one without a sign.
  return (ONE_FLOAT[0] as number) + 0
}
