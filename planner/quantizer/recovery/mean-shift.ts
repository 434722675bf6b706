import type { GraphInput, WindowAxis } from '../../formats/graph.ts'
import { slicesOf } from '../parameters/channels.ts'
import { coverageOf } from './windows.ts'

/** A matrix product whose weight was rounded. */
export interface Product {
  readonly shape: readonly number[]
  /** Where the weight's channels are. */
  readonly input: Pick<GraphInput, 'channelAxis' | 'inputAxis'>
  readonly window: readonly WindowAxis[]
  readonly values: Float32Array
  readonly rounded: Float32Array
  /** Output channels. */
  readonly channels: number
  /** Means of the input channels. */
  readonly means: Float64Array
}

/** Σ (w − ŵ) · E[x] for each output channel. */
export function meanShift(product: Product): Float64Array {
  const { shape, input, values, rounded, channels } = product
  const { groups, seen } = meansSeen(product)
  const shift = new Float64Array(channels)
  const depth = seen.length / groups
  const { stride } = slicesOf(shape, input.channelAxis)
  // In the order in which weights lie, for they are large: numbers of an output channel come in stretches.
  for (let at = 0, tap = 0; at < values.length; tap += stride) {
    for (let output = 0; output < channels; output += 1) {
      const toMean = Math.floor((output * groups) / channels) * depth + tap - at
      let sum = shift[output] as number
      for (const end = at + stride; at < end; at += 1) {
        sum += ((values[at] as number) - (rounded[at] as number)) * (seen[at + toMean] as number)
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
  let taps = [{ coverage: 1, channel: 0 }]
  for (const [axis, size] of shape.entries()) {
    if (axis === input.channelAxis) continue
    const along = window.find(({ weightAxis }) => weightAxis === axis)
    const covered = along && coverageOf(along)
    const step = axis === input.inputAxis ? 1 : 0
    taps = taps.flatMap(({ coverage, channel }) =>
      Array.from({ length: size }, (_, k) => ({
        coverage: coverage * (covered?.[k] ?? 1),
        // A fully-connected weight may read a flattened image: the channel is what remains.
        channel: (channel + k * step) % means.length,
      })),
    )
  }
  return {
    coverage: Float64Array.from(taps, ({ coverage }) => coverage),
    channel: Int32Array.from(taps, ({ channel }) => channel),
  }
}
