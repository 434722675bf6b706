const word = new Float32Array(1)
const bits = new Uint32Array(word.buffer)

/** Largest finite binary16; larger magnitudes clip to it, as converters do, rather than turn infinite. */
const LARGEST = 65504

/** IEEE 754 binary16 bits of a number, rounded half to even. */
export function toFloat16(value: number): number {
  word[0] = Math.abs(value) > LARGEST && Number.isFinite(value) ? Math.sign(value) * LARGEST : value
  const pattern = bits[0] as number
  const sign = (pattern >>> 16) & 0x8000
  const exponent = (pattern >>> 23) & 0xff
  const fraction = pattern & 0x7fffff
  if (exponent === 0xff) return sign | 0x7c00 | (fraction === 0 ? 0 : 0x200)
  const unbiased = exponent - 127
  if (unbiased < -25) return sign
  if (unbiased < -14) return sign | halfToEven(fraction | 0x800000, 13 + (-14 - unbiased))
  // A carry out of the fraction runs into the exponent, which is the right next number.
  return sign | (((unbiased + 15) << 10) + halfToEven(fraction, 13))
}

export function fromFloat16(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >>> 10) & 0x1f
  const fraction = half & 0x3ff
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  if (exponent === 0) return sign * fraction * 2 ** -24
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

function halfToEven(value: number, shift: number): number {
  const kept = value >>> shift
  const rest = value & ((1 << shift) - 1)
  const half = 1 << (shift - 1)
  const up = rest > half || (rest === half && (kept & 1) === 1)
  return up ? kept + 1 : kept
}
