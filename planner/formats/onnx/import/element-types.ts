import type { ElementType } from '../../../../shared/tensors.ts'
import { ImportError } from './errors.ts'

/** TensorType of TFLite's schema → element type. */
const ELEMENT_TYPES: Readonly<Record<string, ElementType>> = {
  FLOAT32: 'float32',
  FLOAT16: 'float16',
  FLOAT64: 'float64',
  INT8: 'int8',
  UINT8: 'uint8',
  INT16: 'int16',
  UINT16: 'uint16',
  INT32: 'int32',
  UINT32: 'uint32',
  INT64: 'int64',
  UINT64: 'uint64',
  BOOL: 'bool',
}

export function elementType(name: string): ElementType {
  const type = ELEMENT_TYPES[name]
  if (type === undefined) {
    throw new ImportError('unsupported-model', `tensors of type ${name} have no ONNX form here`, {
      type: name,
    })
  }
  return type
}
