import type { GraphOperator, GraphTensor } from '../../graph/index.ts'

/** Where the weights of each output channel lie, in the order in which second moments count inputs. */
export interface WeightRows {
  readonly outputs: number
  /** Of an output channel. */
  start(output: number): number
  /** From the start to each input: taps first, then channels within the group. */
  readonly offsets: Int32Array
}

/** Null for operators that are no plain products. */
export function weightRows(operator: GraphOperator, weight: GraphTensor): WeightRows | null {
  const input = operator.inputs.find(({ role }) => role === 'weight')
  const shape = weight.shape ?? []
  if (input === undefined || input.channelAxis === null || operator.window === null) return null
  const strides = stridesOf(shape)
  const axes = [
    ...operator.window.map(({ weightAxis }) => weightAxis),
    ...(input.inputAxis === null ? [] : [input.inputAxis]),
  ]
  const step = strides[input.channelAxis] as number
  return {
    outputs: shape[input.channelAxis] ?? 0,
    start: (output) => output * step,
    offsets: Int32Array.from(offsetsAlong(axes, shape, strides)),
  }
}

/** Row-major over `axes`, the last one fastest. */
function offsetsAlong(
  axes: readonly number[],
  shape: readonly number[],
  strides: readonly number[],
): number[] {
  return axes.reduce<number[]>(
    (offsets, axis) =>
      offsets.flatMap((offset) =>
        Array.from({ length: shape[axis] ?? 0 }, (_, i) => offset + i * (strides[axis] as number)),
      ),
    [0],
  )
}

function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, dim) => product * dim, 1))
}
