import { invariant } from './errors.ts'

/** Element types both runtimes exchange with us, each with the array that holds it. `bool` is one byte. */
export const ARRAY_OF = {
  float32: Float32Array,
  float64: Float64Array,
  /** IEEE 754 binary16 bit patterns. */
  float16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const

export type ElementType = keyof typeof ARRAY_OF
export type TensorData = InstanceType<(typeof ARRAY_OF)[ElementType]>

export interface Tensor {
  readonly type: ElementType
  readonly shape: readonly number[]
  /** Row-major, `sizeOf(shape)` elements. */
  readonly data: TensorData
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1)
}

export function tensor(type: ElementType, shape: readonly number[], data: TensorData): Tensor {
  invariant(data.length === sizeOf(shape), `tensor ${type}[${shape}] holds ${data.length} elements`)
  return { type, shape, data }
}
