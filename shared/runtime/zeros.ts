import { ARRAY_OF, sizeOf, type Tensor } from '../tensors.ts'
import type { TensorInfo } from './runtime.ts'

/** Zeros for every input, open dimensions as 1: enough to see whether a model runs at all. */
export function zerosFor(inputs: readonly TensorInfo[]): Readonly<Record<string, Tensor>> {
  return Object.fromEntries(
    inputs.map(({ name, type, shape }) => {
      const closed = shape.map((dim) => (dim < 0 ? 1 : dim))
      return [name, { type, shape: closed, data: new ARRAY_OF[type](sizeOf(closed)) }]
    }),
  )
}
