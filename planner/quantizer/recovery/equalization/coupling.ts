import type { Graph, GraphOperator } from '../../../graph/index.ts'
import { type Slices, sliceAt, slicesOf } from '../../../graph/index.ts'

/** A weight as a product reads it. */
export interface Matrix {
  readonly values: Float32Array
  readonly outputs: Slices
  /** Of the input channels; null for depthwise weights, whose outputs read one channel each. */
  readonly inputs: Slices | null
}

/** What a weight does between each input and output channel, over all taps: `[output × channels + input]`. */
export interface Coupling {
  readonly channels: number
  readonly largest: Float64Array
  readonly energy: Float64Array
}

export function matrixOf(operator: GraphOperator, values: Float32Array, graph: Graph): Matrix {
  const input = operator.inputs.find(({ role }) => role === 'weight')
  const shape = graph.tensors[input?.tensor ?? -1]?.shape ?? []
  return {
    values,
    outputs: slicesOf(shape, input?.channelAxis ?? null),
    inputs:
      input === undefined || input.inputAxis === null ? null : slicesOf(shape, input.inputAxis),
  }
}

/** The input channel that weight `index` meets, of `channels`. */
export function inputAt({ outputs, inputs }: Matrix, index: number, channels: number): number {
  if (inputs !== null) return sliceAt(inputs, index)
  return Math.floor((sliceAt(outputs, index) * channels) / outputs.count)
}

export function couplingOf(matrix: Matrix, channels: number): Coupling {
  const { values, outputs } = matrix
  const largest = new Float64Array(outputs.count * channels)
  const energy = new Float64Array(outputs.count * channels)
  for (let i = 0; i < values.length; i += 1) {
    const value = Math.abs(values[i] as number)
    const at = sliceAt(outputs, i) * channels + inputAt(matrix, i, channels)
    if (value > (largest[at] as number)) largest[at] = value
    energy[at] = (energy[at] as number) + value * value
  }
  return { channels, largest, energy }
}

/** Largest magnitude at each input channel. */
export function peaksByInput({ channels, largest }: Coupling): Float64Array {
  const peaks = new Float64Array(channels)
  largest.forEach((value, at) => {
    peaks[at % channels] = Math.max(peaks[at % channels] as number, value)
  })
  return peaks
}
