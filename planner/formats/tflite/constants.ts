import { fromHalf } from '../../../shared/half.ts'
import { constantOf } from './access.ts'
import type { TflModel, TflTensor } from './model.ts'
import type { TensorArray } from './tensor-types.ts'

/** Element types that stand for real numbers through a scale and a zero point. */
const CODES: Partial<Record<string, (array: TensorArray) => ArrayLike<number>>> = {
  INT8: (array) => array as Int8Array,
  UINT8: (array) => array as Uint8Array,
  INT16: (array) => array as Int16Array,
  INT32: (array) => array as Int32Array,
  INT4: (array) => nibbles(array as Uint8Array),
}

/**
 * A constant as real numbers: floats as they are, integer codes dequantized. Null where the tensor
 * holds no real numbers (indices, strings), or in a layout we do not unpack (sparse, blockwise).
 */
export function realNumbers(model: TflModel, tensor: TflTensor): Float32Array | null {
  const array = tensor.sparsity === null ? constantOf(model, tensor) : null
  if (array === null) return null
  if (tensor.type === 'FLOAT32') return array as Float32Array
  if (tensor.type === 'FLOAT16') return Float32Array.from(array as Uint16Array, fromHalf)
  const codes = CODES[tensor.type]
  return codes === undefined ? null : dequantized(tensor, codes(array))
}

function dequantized(tensor: TflTensor, codes: ArrayLike<number>): Float32Array | null {
  const { scale, zeroPoint, quantizedDimension, details } = tensor.quantization ?? {}
  if (!scale?.length || details !== null) return null
  const shape = tensor.shape ?? []
  const stride = product(shape.slice((quantizedDimension ?? 0) + 1))
  return Float32Array.from({ length: Math.min(product(shape), codes.length) }, (_, i) => {
    const slice = scale.length === 1 ? 0 : Math.floor(i / stride) % scale.length
    return ((codes[i] as number) - Number(zeroPoint?.[slice] ?? 0n)) * (scale[slice] as number)
  })
}

function product(dims: readonly number[]): number {
  return dims.reduce((all, dim) => all * dim, 1)
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
