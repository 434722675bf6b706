import type { GraphInput, WindowAxis } from '../../graph/index.ts'
import { slicesOf } from '../../graph/index.ts'
import { coverageOf } from './windows.ts'

/** What a weight was rounded to. */
export interface Rounded {
  /** Real numbers, or codes around 0. */
  readonly numbers: Float32Array | Int8Array
  /** Of codes: the numbers that lie a step apart, for each output channel, or one for all. */
  readonly scales: readonly number[] | null
}

/** A matrix product whose weight was rounded. */
export interface Product {
  readonly shape: readonly number[]
  /** Where the weight's channels are. */
  readonly input: Pick<GraphInput, 'channelAxis' | 'inputAxis'>
  readonly window: readonly WindowAxis[]
  readonly values: Float32Array
  readonly rounded: Rounded
  /** Output channels. */
  readonly channels: number
  /** Means of the input channels. */
  readonly means: Float64Array
}

/** Σ (w − ŵ) · E[x] for each output channel. */
export function meanShift(product: Product): Float64Array {
  const { shape, input, values, channels } = product
  const { numbers, scales } = product.rounded
  const { groups, seen } = meansSeen(product)
  const shift = new Float64Array(channels)
  const depth = seen.length / groups
  const { stride } = slicesOf(shape, input.channelAxis)
  // In the order in which weights lie, for they are large: numbers of an output channel come in stretches.
  for (let at = 0, tap = 0; at < values.length; tap += stride) {
    for (let output = 0; output < channels; output += 1) {
      const toMean = Math.floor((output * groups) / channels) * depth + tap - at
      const scale = scales === null ? 1 : (scales[scales.length === 1 ? 0 : output] as number)
      let sum = shift[output] as number
      for (const end = at + stride; at < end; at += 1) {
        const lost = (values[at] as number) - (numbers[at] as number) * scale
        sum += lost * (seen[at + toMean] as number)
      }
      shift[output] = sum
    }
  }
  return shift
}

/**
 * What each number of an output channel meets on average, for each group of output channels that reads the same input.
 * Grouped convolutions read a part of the channels each; a depthwise one a single channel, shared by as many outputs as
 * its multiplier says.
 */
function meansSeen(product: Product): { readonly groups: number; readonly seen: Float64Array } {
  const { shape, input, means } = product
  const width = input.inputAxis === null ? 1 : (shape[input.inputAxis] ?? 1)
  const groups = Math.max(1, Math.round(means.length / width))
  const { coverage, channel } = tapsOf(product)
  const depth = coverage.length
  const seen = Float64Array.from({ length: groups * depth }, (_, i) => {
    const reads = Math.floor(i / depth) * width + (channel[i % depth] as number)
    return (coverage[i % depth] as number) * (means[reads % means.length] as number)
  })
  return { groups, seen }
}

/** Of each number of an output channel, in the order in which they lie. */
interface Taps {
  /** Share of output positions at which it sees the image. */
  readonly coverage: Float64Array
  /** Of the input, from the first that the output channel reads. */
  readonly channel: Int32Array
}

function tapsOf({ shape, input, window, means }: Product): Taps {
  let taps: Taps = { coverage: Float64Array.of(1), channel: Int32Array.of(0) }
  for (const [axis, size] of shape.entries()) {
    if (axis === input.channelAxis) continue
    const along = window.find(({ weightAxis }) => weightAxis === axis)
    const covered = along && coverageOf(along)
    const step = axis === input.inputAxis ? 1 : 0
    const { coverage, channel } = taps
    const count = coverage.length * size
    taps = { coverage: new Float64Array(count), channel: new Int32Array(count) }
    for (let at = 0; at < count; at += 1) {
      const before = Math.floor(at / size)
      const k = at % size
      taps.coverage[at] = (coverage[before] as number) * (covered?.[k] ?? 1)
      // A fully-connected weight may read a flattened image: the channel is what remains.
      taps.channel[at] = ((channel[before] as number) + k * step) % means.length
    }
  }
  return taps
}
