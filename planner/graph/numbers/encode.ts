import { halvesOf } from '../../../shared/half.ts'
import { FLOAT16_LARGEST, type Form, INTEGER_LIMITS, type IntegerType } from './forms.ts'
import { roundHalfAway } from './rounding.ts'
import { eachRun, slicesOf } from './slices.ts'

/** Little-endian bytes of `values` in `form`, in memory of their own; int4 codes go two to a byte, low nibble first. */
export function encode(values: Float32Array, shape: readonly number[], form: Form): Uint8Array {
  if (form.type === 'float32') return bytesOf(Float32Array.from(values))
  // Numbers too large for float16 become its largest, as converters do, rather than infinite.
  if (form.type === 'float16') return bytesOf(halvesOf(values, FLOAT16_LARGEST))
  return WRITERS[form.type](values.length, (codes) => fill(codes, values, shape, form))
}

type IntegerForm = Extract<Form, { type: IntegerType }>
type Codes = Float64Array | Int8Array | Uint8Array | Int16Array | Int32Array

/** Integer codes, saturated to the type: weights are limited by their scale, sentinels by the type. */
export function codesOf(
  values: Float32Array,
  shape: readonly number[],
  form: IntegerForm,
): Float64Array {
  return fill(new Float64Array(values.length), values, shape, form)
}

function fill<C extends Codes>(
  codes: C,
  values: Float32Array,
  shape: readonly number[],
  form: IntegerForm,
): C {
  const { scales, zeroPoints, axis } = form.parameters
  eachRun(values.length, slicesOf(shape, axis), (slice, from, to) => {
    const zeroPoint = zeroPoints[slice] as number
    const [least, most] = stepsWithin(form, zeroPoint)
    const scale = scales[slice] as number
    for (let i = from; i < to; i += 1) {
      codes[i] = roundWithin((values[i] as number) / scale, least, most) + zeroPoint
    }
  })
  return codes
}

/**
 * What the codes of `values` stand for: the numbers a kernel will compute with.
 * @param numbers where to write them, as many as `values`
 */
export function decode(
  values: Float32Array,
  shape: readonly number[],
  form: Form,
  numbers: Float32Array = new Float32Array(values.length),
): Float32Array {
  if (!('parameters' in form)) return values
  const { scales, zeroPoints, axis } = form.parameters
  eachRun(values.length, slicesOf(shape, axis), (slice, from, to) => {
    const [least, most] = stepsWithin(form, zeroPoints[slice] as number)
    const scale = scales[slice] as number
    for (let i = from; i < to; i += 1) {
      numbers[i] = roundWithin((values[i] as number) / scale, least, most) * scale
    }
  })
  return numbers
}

/** Of codes, from the zero point. */
function stepsWithin({ type }: IntegerForm, zeroPoint: number): [least: number, most: number] {
  const { min, max } = INTEGER_LIMITS[type]
  return [min - zeroPoint, max - zeroPoint]
}

function roundWithin(steps: number, least: number, most: number): number {
  return roundHalfAway(within(steps, least, most))
}

export function within(steps: number, least: number, most: number): number {
  return steps < least ? least : steps > most ? most : steps
}

type Write = <C extends Codes>(codes: C) => C

const WRITERS: Record<IntegerType, (length: number, write: Write) => Uint8Array> = {
  int4: (length, write) => packNibbles(write(new Float64Array(length))),
  int8: (length, write) => bytesOf(write(new Int8Array(length))),
  uint8: (length, write) => bytesOf(write(new Uint8Array(length))),
  int16: (length, write) => bytesOf(write(new Int16Array(length))),
  int32: (length, write) => bytesOf(write(new Int32Array(length))),
  int64: (length, write) => bytesOf(BigInt64Array.from(write(new Float64Array(length)), BigInt)),
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
