import type { ChannelStatistics } from './statistics.ts'
import { strideFor } from './stride.ts'

/** Positions that a mean needs. */
const ENOUGH_ROWS = 2 ** 14

export interface ChannelPlan {
  readonly channels: number
  /** Each channel's numbers lie together, instead of each position's. */
  readonly channelsFirst?: boolean
  readonly samples: number
}

/** Statistics of every channel, from positions picked evenly. */
export class ChannelObserver {
  readonly #plan: ChannelPlan
  readonly #sums: Float64Array
  readonly #squares: Float64Array
  readonly #min: Float64Array
  readonly #max: Float64Array
  #rows = 0

  constructor(plan: ChannelPlan) {
    this.#plan = plan
    this.#sums = new Float64Array(plan.channels)
    this.#squares = new Float64Array(plan.channels)
    this.#min = new Float64Array(plan.channels).fill(Number.POSITIVE_INFINITY)
    this.#max = new Float64Array(plan.channels).fill(Number.NEGATIVE_INFINITY)
  }

  see(values: Float32Array, sample: number): void {
    const { channels, channelsFirst, samples } = this.#plan
    const positions = values.length / channels
    const stride = strideFor(positions * samples, ENOUGH_ROWS)
    const first = sample % stride
    const [toChannel, toPosition] = channelsFirst ? [positions, 1] : [1, channels]
    for (let position = first; position < positions; position += stride) {
      this.#add(values, position * toPosition, toChannel)
    }
    this.#rows += Math.max(0, Math.ceil((positions - first) / stride))
  }

  result(): ChannelStatistics | null {
    const rows = this.#rows
    if (rows === 0) return null
    return {
      rows,
      means: this.#sums.map((sum) => sum / rows),
      squares: this.#squares.map((sum) => sum / rows),
      min: this.#min,
      max: this.#max,
    }
  }

  #add(values: Float32Array, start: number, step: number): void {
    const [sums, squares, min, max] = [this.#sums, this.#squares, this.#min, this.#max]
    let at = start
    for (let channel = 0; channel < sums.length; channel += 1) {
      const value = values[at] as number
      sums[channel] = (sums[channel] as number) + value
      squares[channel] = (squares[channel] as number) + value * value
      if (value < (min[channel] as number)) min[channel] = value
      if (value > (max[channel] as number)) max[channel] = value
      at += step
    }
  }
}
