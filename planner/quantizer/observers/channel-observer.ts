import { strideFor } from '../../graph/index.ts'
import type { ChannelStatistics } from './statistics.ts'

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
    if (channelsFirst) this.#seePlanes(values, positions, first, stride)
    else this.#seeRows(values, positions, first, stride)
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

  /** Numbers of a channel lie together: each channel's sums stay in registers. */
  #seePlanes(values: Float32Array, positions: number, first: number, stride: number): void {
    for (let channel = 0; channel < this.#sums.length; channel += 1) {
      const end = (channel + 1) * positions
      let sum = this.#sums[channel] as number
      let square = this.#squares[channel] as number
      let min = this.#min[channel] as number
      let max = this.#max[channel] as number
      for (let at = channel * positions + first; at < end; at += stride) {
        const value = values[at] as number
        sum += value
        square += value * value
        if (value < min) min = value
        if (value > max) max = value
      }
      this.#sums[channel] = sum
      this.#squares[channel] = square
      this.#min[channel] = min
      this.#max[channel] = max
    }
  }

  #seeRows(values: Float32Array, positions: number, first: number, stride: number): void {
    const [sums, squares, min, max] = [this.#sums, this.#squares, this.#min, this.#max]
    const channels = sums.length
    for (let position = first; position < positions; position += stride) {
      const start = position * channels
      for (let channel = 0; channel < channels; channel += 1) {
        const value = values[start + channel] as number
        sums[channel] = (sums[channel] as number) + value
        squares[channel] = (squares[channel] as number) + value * value
        if (value < (min[channel] as number)) min[channel] = value
        if (value > (max[channel] as number)) max[channel] = value
      }
    }
  }
}
