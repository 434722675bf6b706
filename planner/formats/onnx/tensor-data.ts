import { ARRAY_OF, type ElementType, type TensorData } from '../../../shared/tensors.ts'
import { OnnxError } from './errors.ts'
import { dataTypeName, newMessage, type OnnxTensor } from './model.ts'
import { DATA_TYPES, type OnnxDataType } from './schema.ts'

/** Where a tensor without raw_data keeps its elements (onnx.proto, comments of TensorProto). */
const TYPED_FIELD: Partial<
  Record<OnnxDataType, 'floatData' | 'int32Data' | 'int64Data' | 'doubleData' | 'uint64Data'>
> = {
  float32: 'floatData',
  float64: 'doubleData',
  int64: 'int64Data',
  uint64: 'uint64Data',
  uint32: 'uint64Data',
  int32: 'int32Data',
  int16: 'int32Data',
  uint16: 'int32Data',
  int8: 'int32Data',
  uint8: 'int32Data',
  bool: 'int32Data',
  float16: 'int32Data',
}

export function elementCount(tensor: OnnxTensor): number {
  return tensor.dims.reduce((product, dim) => product * Number(dim), 1)
}

/** Shape as numbers. */
export function dimsOf(tensor: OnnxTensor): number[] {
  return tensor.dims.map(Number)
}

/** Element type in our vocabulary; `undefined` for those no runtime tensor of ours holds (int4, string, …). */
export function elementTypeOf(tensor: OnnxTensor): ElementType | undefined {
  const name = dataTypeName(tensor.dataType)
  return name !== undefined && name in ARRAY_OF ? (name as ElementType) : undefined
}

/**
 * The elements as the array of their type, whichever field holds them; a view where alignment allows.
 * @throws OnnxError `tensor-data` when the count is not what the shape says, or the data is elsewhere
 */
export function dataOf(tensor: OnnxTensor): TensorData {
  const type = elementTypeOf(tensor)
  if (type === undefined || tensor.dataLocation === 1)
    throw unreadable(tensor, 'not held in this file as numbers')
  const data = tensor.rawData.length > 0 ? fromRaw(type, tensor.rawData) : fromTyped(type, tensor)
  if (data.length !== elementCount(tensor)) {
    throw unreadable(
      tensor,
      `it holds ${data.length} elements, its shape [${tensor.dims}] asks for ${elementCount(tensor)}`,
    )
  }
  return data
}

/** A constant of the given values; little-endian raw bytes, as the format wants. */
export function newTensor(
  name: string,
  type: ElementType,
  shape: readonly number[],
  data: TensorData,
): OnnxTensor {
  return newMessage('TensorProto', {
    name,
    dims: shape.map(BigInt),
    dataType: DATA_TYPES[type].code,
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  })
}

function fromRaw(type: ElementType, raw: Uint8Array): TensorData {
  const ArrayType = ARRAY_OF[type]
  const width = ArrayType.BYTES_PER_ELEMENT
  // Not raw.slice(): a Buffer's slice is a view.
  const aligned = raw.byteOffset % width === 0 ? raw : new Uint8Array(raw)
  return new ArrayType(
    aligned.buffer as ArrayBuffer,
    aligned.byteOffset,
    Math.floor(raw.length / width),
  )
}

function fromTyped(type: ElementType, tensor: OnnxTensor): TensorData {
  const field = TYPED_FIELD[type]
  if (field === undefined) throw unreadable(tensor, `no field holds ${type}`)
  const values = tensor[field] as readonly (number | bigint)[]
  const wide = type === 'int64' || type === 'uint64'
  const ArrayType = ARRAY_OF[type] as { from(values: Iterable<unknown>): TensorData }
  return ArrayType.from(wide ? values : values.map(Number))
}

function unreadable(tensor: OnnxTensor, why: string): OnnxError {
  return new OnnxError('tensor-data', `constant "${tensor.name}" cannot be read: ${why}`, {
    tensor: tensor.name,
    dims: dimsOf(tensor),
  })
}
