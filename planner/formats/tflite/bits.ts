import type { EnumValue } from './schema/schema.ts'

/** Bits per element as stored; null where elements have no fixed size. Below 8, elements are packed. */
export const BITS_OF_TENSOR = {
  FLOAT32: 32,
  FLOAT16: 16,
  INT32: 32,
  UINT8: 8,
  INT64: 64,
  STRING: null,
  BOOL: 8,
  INT16: 16,
  COMPLEX64: 64,
  INT8: 8,
  FLOAT64: 64,
  COMPLEX128: 128,
  UINT64: 64,
  RESOURCE: null,
  VARIANT: null,
  UINT32: 32,
  UINT16: 16,
  INT4: 4,
  BFLOAT16: 16,
  INT2: 2,
  UINT4: 4,
  FLOAT8_E4M3FN: 8,
  FLOAT8_E5M2: 8,
} as const satisfies Record<EnumValue<'TensorType'>, number | null>
