import { fromFloat16 } from '../../quantizer/parameters/float16.ts'
import type { TflTensor } from './model.ts'

/** Readers of the element types that stand for real numbers, raw or through scale and zero point. */
const ELEMENTS: Partial<Record<string, (bytes: Uint8Array) => ArrayLike<number>>> = {
  FLOAT32: (bytes) => aligned(bytes, Float32Array, 4),
  FLOAT16: (bytes) => Float32Array.from(aligned(bytes, Uint16Array, 2), fromFloat16),
  INT8: (bytes) => new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  UINT8: (bytes) => bytes,
  INT16: (bytes) => aligned(bytes, Int16Array, 2),
  INT32: (bytes) => aligned(bytes, Int32Array, 4),
  INT4: nibbles,
}

/**
 * A constant as real numbers: floats as they are, integer codes dequantized. Null where the tensor
 * holds no real numbers (indices, strings), or in a layout we do not unpack (sparse, blockwise).
 */
export function realNumbers(tensor: TflTensor, data: Uint8Array): Float32Array | null {
  const read = ELEMENTS[tensor.type]
  if (read === undefined || tensor.sparsity !== null) return null
  const elements = read(data)
  if (tensor.type.startsWith('FLOAT')) return elements as Float32Array
  const quantization = tensor.quantization
  const scales = quantization?.scale ?? null
  if (quantization === null || scales === null || scales.length === 0) return null
  if (quantization.details !== null) return null
  const shape = tensor.shape ?? []
  const axis = quantization.quantizedDimension
  const stride = shape.slice(axis + 1).reduce((product, dim) => product * dim, 1)
  const count = elementCount(shape)
  return Float32Array.from({ length: Math.min(count, elements.length) }, (_, i) => {
    const slice = scales.length === 1 ? 0 : Math.floor(i / stride) % scales.length
    const zeroPoint = Number(quantization.zeroPoint?.[slice] ?? 0n)
    return ((elements[i] as number) - zeroPoint) * (scales[slice] as number)
  })
}

function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1)
}

interface ArrayType<T> {
  new (buffer: ArrayBufferLike, offset: number, length: number): T
}

/** A view where the bytes happen to be aligned, else a copy. */
function aligned<T>(bytes: Uint8Array, Type: ArrayType<T>, size: number): T {
  const whole = bytes.byteOffset % size === 0 ? bytes : bytes.slice()
  return new Type(whole.buffer, whole.byteOffset, Math.floor(whole.byteLength / size))
}

/** Two codes to a byte, low nibble first, sign-extended. */
function nibbles(bytes: Uint8Array): Int8Array {
  const codes = new Int8Array(bytes.length * 2)
  bytes.forEach((byte, i) => {
    codes[2 * i] = (byte << 28) >> 28
    codes[2 * i + 1] = (byte << 24) >> 28
  })
  return codes
}
