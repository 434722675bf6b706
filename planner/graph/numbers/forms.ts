/** Affine code: real = scale × (q − zeroPoint), one scale for the tensor or one per slice of `axis`. */
export interface AffineParameters {
  /** float32 values: what the file will hold. Never 0, never infinite. */
  readonly scales: readonly number[]
  readonly zeroPoints: readonly number[]
  readonly axis: number | null
}

export const INTEGER_LIMITS = {
  int4: { min: -8, max: 7 },
  int8: { min: -128, max: 127 },
  uint8: { min: 0, max: 255 },
  int16: { min: -32768, max: 32767 },
  int32: { min: -2147483648, max: 2147483647 },
  int64: { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER },
} as const

/** Largest finite binary16. */
export const FLOAT16_LARGEST = 65504

export type IntegerType = keyof typeof INTEGER_LIMITS
export type ActivationType = 'int8' | 'uint8' | 'int16'

/** Largest code of a symmetric weight, by bits; the narrow range keeps -128 out so that products fit. */
export const WEIGHT_CODE_MAX = { 4: 7, 7: 63, 8: 127 } as const
export type WeightBits = keyof typeof WEIGHT_CODE_MAX

/** How the numbers of a tensor are written down. */
export type Form =
  | { readonly type: 'float32' }
  | { readonly type: 'float16' }
  | { readonly type: IntegerType; readonly parameters: AffineParameters }

export const FLOAT32: Form = { type: 'float32' }
export const FLOAT16: Form = { type: 'float16' }

export function perTensor(scale: number, zeroPoint: number): AffineParameters {
  return { scales: [Math.fround(scale)], zeroPoints: [zeroPoint], axis: null }
}

export function sameParameters(a: AffineParameters, b: AffineParameters): boolean {
  return (
    a.axis === b.axis &&
    a.scales.length === b.scales.length &&
    a.scales.every((scale, i) => scale === b.scales[i]) &&
    a.zeroPoints.every((zeroPoint, i) => zeroPoint === b.zeroPoints[i])
  )
}

export function sameForm(a: Form, b: Form): boolean {
  if (a.type !== b.type) return false
  if (!('parameters' in a) || !('parameters' in b)) return true
  return sameParameters(a.parameters, b.parameters)
}

/** `int8 0.0394/-128`, `int8[16]@0`, `float32`. */
export function printForm(form: Form): string {
  if (!('parameters' in form)) return form.type
  const { scales, zeroPoints, axis } = form.parameters
  if (axis !== null) return `${form.type}[${scales.length}]@${axis}`
  return `${form.type} ${Number(scales[0]?.toPrecision(4))}/${zeroPoints[0]}`
}
