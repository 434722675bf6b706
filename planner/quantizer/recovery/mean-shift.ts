import type { GraphInput, WindowAxis } from '../../formats/graph.ts'
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

/** What one step along a dimension of the weight does. */
interface Step {
  readonly size: number
  readonly toOutput: number
  readonly toInput: number
  /** Share of output positions at which this tap sees the image; null where the dimension is no window's. */
  readonly coverage: Float64Array | null
}

/** Σ (w − ŵ) · E[x] for each output channel. */
export function meanShift(product: Product): Float64Array {
  const { values, rounded, means } = product
  const steps = stepsOf(product)
  const firstInputs = firstInputsOf(product)
  const shift = new Float64Array(product.channels)
  const last = steps.at(-1)
  if (last === undefined) return shift
  let at = 0
  // Weights are large: the last dimension is a plain loop, those before it are walked.
  const walk = (axis: number, output: number, within: number, seen: number): void => {
    const step = steps[axis] as Step
    if (step !== last) {
      for (let k = 0; k < step.size; k += 1) {
        const covered = seen * (step.coverage?.[k] ?? 1)
        walk(axis + 1, output + k * step.toOutput, within + k * step.toInput, covered)
      }
      return
    }
    for (let k = 0; k < step.size; k += 1, at += 1) {
      const to = output + k * step.toOutput
      const channel = (firstInputs[to] as number) + within + k * step.toInput
      const covered = step.coverage === null ? seen : seen * (step.coverage[k] as number)
      const error = (values[at] as number) - (rounded[at] as number)
      // A fully-connected weight may read a flattened image: the channel is what remains.
      shift[to] =
        (shift[to] as number) + error * covered * (means[channel % means.length] as number)
    }
  }
  walk(0, 0, 0, 1)
  return shift
}

function stepsOf({ shape, input, window }: Product): Step[] {
  return shape.map((size, axis) => {
    const taps = window.find(({ weightAxis }) => weightAxis === axis)
    return {
      size,
      toOutput: axis === input.channelAxis ? 1 : 0,
      toInput: axis === input.inputAxis ? 1 : 0,
      coverage: taps === undefined ? null : coverageOf(taps),
    }
  })
}

/**
 * The first input channel that an output channel reads. Grouped convolutions read a part of the channels
 * each; a depthwise one a single channel, shared by as many outputs as its multiplier says.
 */
function firstInputsOf({ shape, input, channels, means }: Product): Int32Array {
  const width = input.inputAxis === null ? 1 : (shape[input.inputAxis] ?? 1)
  const groups = Math.max(1, Math.round(means.length / width))
  return Int32Array.from(
    { length: channels },
    (_, output) => Math.floor((output * groups) / channels) * width,
  )
}
