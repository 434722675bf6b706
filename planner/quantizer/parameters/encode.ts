import { toHalf } from '../../../shared/dataset/index.ts'
import { roundHalfAway } from './activation.ts'
import { sliceAt, slicesOf } from './channels.ts'
import { FLOAT16_LARGEST, type Form, INTEGER_LIMITS, type IntegerType } from './forms.ts'

/** Little-endian bytes of `values` in `form`; int4 codes go two to a byte, low nibble first. */
export function encode(values: Float32Array, shape: readonly number[], form: Form): Uint8Array {
  if (form.type === 'float32') return bytesOf(Float32Array.from(values))
  if (form.type === 'float16')
    return bytesOf(Uint16Array.from(values, (value) => toHalf(clippedToHalf(value))))
  return WRITERS[form.type](codesOf(values, shape, form))
}

type IntegerForm = Extract<Form, { type: IntegerType }>

/** Integer codes, saturated to the type: weights are limited by their scale, sentinels by the type. */
export function codesOf(
  values: Float32Array,
  shape: readonly number[],
  form: IntegerForm,
): Float64Array {
  const { scales, zeroPoints, axis } = form.parameters
  const { min, max } = INTEGER_LIMITS[form.type]
  const slices = slicesOf(shape, axis)
  const codes = new Float64Array(values.length)
  for (let i = 0; i < values.length; i += 1) {
    const slice = axis === null ? 0 : sliceAt(slices, i)
    const code =
      roundHalfAway((values[i] as number) / (scales[slice] as number)) +
      (zeroPoints[slice] as number)
    codes[i] = code < min ? min : code > max ? max : code
  }
  return codes
}

/** What the codes of `values` stand for: the numbers a kernel will compute with. */
export function decode(values: Float32Array, shape: readonly number[], form: Form): Float32Array {
  if (!('parameters' in form)) return values
  const codes = codesOf(values, shape, form)
  const { scales, zeroPoints, axis } = form.parameters
  const slices = slicesOf(shape, axis)
  return Float32Array.from(codes, (code, i) => {
    const slice = axis === null ? 0 : sliceAt(slices, i)
    return (code - (zeroPoints[slice] as number)) * (scales[slice] as number)
  })
}

const WRITERS: Record<IntegerType, (codes: Float64Array) => Uint8Array> = {
  int4: packNibbles,
  int8: (codes) => bytesOf(Int8Array.from(codes)),
  uint8: (codes) => bytesOf(Uint8Array.from(codes)),
  int16: (codes) => bytesOf(Int16Array.from(codes)),
  int32: (codes) => bytesOf(Int32Array.from(codes)),
  int64: (codes) => bytesOf(BigInt64Array.from(codes, BigInt)),
}

/** Numbers too large for float16 become its largest, as converters do, rather than infinite. */
function clippedToHalf(value: number): number {
  if (!Number.isFinite(value)) return value
  return Math.min(FLOAT16_LARGEST, Math.max(-FLOAT16_LARGEST, value))
}

function packNibbles(codes: Float64Array): Uint8Array {
  const packed = new Uint8Array(Math.ceil(codes.length / 2))
  codes.forEach((code, i) => {
    packed[i >> 1] = (packed[i >> 1] as number) | ((code & 0xf) << (i % 2 === 0 ? 0 : 4))
  })
  return packed
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}
