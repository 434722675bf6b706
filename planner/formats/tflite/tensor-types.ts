import type { EnumValue } from './codec/schema/schema.ts'

interface TensorType {
  /** Per element as stored; below 8, elements are packed. `null`: elements have no fixed size. */
  bits: number | null
  /** Holds the elements; bytes where JavaScript has no array of the type. */
  array: unknown
}

/** How the elements of each tensor type lie in a buffer. */
export const TENSOR_TYPES = {
  FLOAT32: { bits: 32, array: Float32Array },
  /** IEEE 754 binary16 bit patterns. */
  FLOAT16: { bits: 16, array: Uint16Array },
  INT32: { bits: 32, array: Int32Array },
  UINT8: { bits: 8, array: Uint8Array },
  INT64: { bits: 64, array: BigInt64Array },
  STRING: { bits: null, array: Uint8Array },
  BOOL: { bits: 8, array: Uint8Array },
  INT16: { bits: 16, array: Int16Array },
  /** Pairs of real and imaginary part. */
  COMPLEX64: { bits: 64, array: Float32Array },
  INT8: { bits: 8, array: Int8Array },
  FLOAT64: { bits: 64, array: Float64Array },
  COMPLEX128: { bits: 128, array: Float64Array },
  UINT64: { bits: 64, array: BigUint64Array },
  RESOURCE: { bits: null, array: Uint8Array },
  VARIANT: { bits: null, array: Uint8Array },
  UINT32: { bits: 32, array: Uint32Array },
  UINT16: { bits: 16, array: Uint16Array },
  INT4: { bits: 4, array: Uint8Array },
  /** Upper halves of float32 bit patterns. */
  BFLOAT16: { bits: 16, array: Uint16Array },
  INT2: { bits: 2, array: Uint8Array },
  UINT4: { bits: 4, array: Uint8Array },
  FLOAT8_E4M3FN: { bits: 8, array: Uint8Array },
  FLOAT8_E5M2: { bits: 8, array: Uint8Array },
} as const satisfies Record<EnumValue<'TensorType'>, TensorType>

export type TensorTypeName = keyof typeof TENSOR_TYPES
export type TensorArray = InstanceType<(typeof TENSOR_TYPES)[TensorTypeName]['array']>

/** Bytes that `elements` elements take, rounded up to whole bytes; `null` where they have no fixed size. */
export function bytesOfElements(type: TensorTypeName, elements: number): number | null {
  const { bits } = TENSOR_TYPES[type]
  return bits === null ? null : Math.ceil((elements * bits) / 8)
}
