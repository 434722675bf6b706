/** IEEE 754 binary16 bit pattern → number. */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** Number → IEEE 754 binary16 bit pattern, rounded to nearest, ties to even. */
export function toHalf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.abs(value)
  if (size >= 65520) return sign | 0x7c00
  if (size < 2 ** -14) return sign | roundEven(size * 2 ** 24)
  const exponent = Math.floor(Math.log2(size))
  // log2 of a number just below a power of two may round up.
  const exact = 2 ** exponent > size ? exponent - 1 : exponent
  // A fraction that rounds to 1024 carries into the exponent, as it should.
  return sign | (((exact + 15) << 10) + roundEven((size / 2 ** exact - 1) * 1024))
}

/** The same for many numbers; magnitudes above `largest` become it, infinities and NaN stay. */
export function halvesOf(values: Float32Array, largest: number): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  const halves = new Uint16Array(values.length)
  for (let i = 0; i < values.length; i += 1) {
    const pattern = bits[i] as number
    const size = pattern & 0x7fffffff
    // Normal numbers that stay below the largest, rounded to even: other ones are rare.
    if (size >= LEAST_NORMAL && size < GREATEST) {
      halves[i] =
        ((pattern >>> 16) & 0x8000) | ((size - REBIAS + 0xfff + ((size >>> 13) & 1)) >>> 13)
    } else {
      const value = values[i] as number
      const bounded = Math.min(largest, Math.max(-largest, value))
      halves[i] = toHalf(Number.isFinite(value) ? bounded : value)
    }
  }
  return halves
}

/** Float32 patterns of 2⁻¹⁴ and 2¹⁵, and what lies between the two exponents' biases. */
const LEAST_NORMAL = 0x38800000
const GREATEST = 0x47000000
const REBIAS = 0x38000000

function roundEven(value: number): number {
  const low = Math.floor(value)
  const rest = value - low
  if (rest !== 0.5) return Math.round(value)
  return low % 2 === 0 ? low : low + 1
}
