import type { ElementType } from '../../tensors.ts'

/** `TfLiteType` of tensorflow/lite/c/c_api_types.h, which `LiteRtElementType` shares. */
export const ELEMENT_TYPES: Readonly<Record<number, ElementType>> = {
  1: 'float32',
  2: 'int32',
  3: 'uint8',
  4: 'int64',
  6: 'bool',
  7: 'int16',
  9: 'int8',
  10: 'float16',
  11: 'float64',
  13: 'uint64',
  16: 'uint32',
  17: 'uint16',
}
