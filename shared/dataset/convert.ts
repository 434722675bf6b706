import { fromHalf, toHalf } from '../half.ts'
import type { TensorInfo } from '../runtime/index.ts'
import { ARRAY_OF, type ElementType, type Tensor, type TensorData } from '../tensors.ts'
import { DatasetError } from './errors.ts'

const INTEGER_RANGE: Readonly<Partial<Record<ElementType, readonly [number, number]>>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  bool: [0, 1],
}

/** Real values of elements: halves decoded, 64-bit integers as doubles. */
export function realValues(type: ElementType, data: TensorData): ArrayLike<number> {
  if (type === 'float16') return Float32Array.from(data as Uint16Array, fromHalf)
  if (type === 'int64' || type === 'uint64') return Float64Array.from(data as BigInt64Array, Number)
  return data as Float32Array
}

/**
 * q = round(real / scale) + zeroPoint, half away from zero, clamped to the type.
 * (TensorFlow Lite, quantization specification and `AffineQuantize`.)
 */
export function quantize(real: number, scale: number, zeroPoint: number, type: ElementType) {
  const [low, high] = INTEGER_RANGE[type] ?? [-Infinity, Infinity]
  const scaled = real / scale
  const rounded = Math.sign(scaled) * Math.round(Math.abs(scaled))
  return Math.min(high, Math.max(low, rounded + zeroPoint))
}

/**
 * Real values in the form an input takes. The values of a data file are always real ones: an int8 array for an
 * int8 input with scale 0.5 is divided by 0.5.
 * @param into memory of the same type and length to write float32 to
 * @throws DatasetError `wrong-type` where a value cannot be an element of an integer input
 */
export function convertTo(info: TensorInfo, from: Tensor, into?: TensorData): TensorData {
  const { type, quantization } = info
  if (type === 'float32' && into instanceof Float32Array && into.length === from.data.length) {
    into.set(realValues(from.type, from.data))
    return into
  }
  if (quantization !== undefined && type in INTEGER_RANGE) {
    const { scale, zeroPoint } = quantization
    const real = realValues(from.type, from.data)
    const out = new (ARRAY_OF[type] as Int32ArrayConstructor)(real.length)
    for (let i = 0; i < out.length; i++) out[i] = quantize(real[i] ?? 0, scale, zeroPoint, type)
    return out
  }
  if (from.type === type) return from.data
  const real = realValues(from.type, from.data)
  if (type === 'float16') return Uint16Array.from(real, toHalf)
  if (type === 'float32' || type === 'float64') return ARRAY_OF[type].from(real)
  return toIntegers(info, real)
}

function toIntegers({ name, type }: TensorInfo, real: ArrayLike<number>): TensorData {
  const [low, high] = INTEGER_RANGE[type] ?? [-(2 ** 63), 2 ** 63]
  const wide = type === 'int64' || type === 'uint64'
  const values = Array.from(real, (value) => {
    if (Number.isInteger(value) && value >= low && value <= high) return value
    throw new DatasetError(
      'wrong-type',
      `input "${name}" takes ${type}, which cannot hold ${value}: give whole numbers in its range`,
      { name, value },
    )
  })
  return wide
    ? ARRAY_OF[type].from(values.map(BigInt) as never)
    : (ARRAY_OF[type] as Int32ArrayConstructor).from(values)
}
