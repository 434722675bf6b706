import type { AffineParameters, GraphTensor } from '../../graph/index.ts'
import {
  magnitudes,
  type Slices,
  slicesOf,
  WEIGHT_CODE_MAX,
  type WeightBits,
} from '../../graph/index.ts'

/** A channel below this is dead (batch normalisation folded it away); a scale from it would be noise. */
const DEAD_MAGNITUDE = 1e-30

/** Share of the int32 range a bias may take; the rest is the accumulator's. */
const BIAS_SHARE = 0.5

/**
 * Symmetric parameters of a weight: zero point 0, scale = max|w| / code max per slice of `axis`, or
 * one for the tensor. A dead slice takes the tensor's own scale: exact for zeros, and sane for its bias.
 */
export function weightParameters(
  values: Float32Array,
  shape: readonly number[],
  axis: number | null,
  bits: WeightBits = 8,
): AffineParameters {
  const largest = magnitudes(values, shape, axis)
  const overall = largest.reduce((a, b) => Math.max(a, b), 0)
  const standIn = overall < DEAD_MAGNITUDE ? 1 : overall
  const most = largestCodes(values, slicesOf(shape, axis), largest, WEIGHT_CODE_MAX[bits])
  const scales = Array.from(largest, (magnitude, slice) =>
    Math.fround((magnitude < DEAD_MAGNITUDE ? standIn : magnitude) / (most[slice] as number)),
  )
  return { scales, zeroPoints: scales.map(() => 0), axis }
}

/** How far from a code, in steps, a number may lie that was rounded to it in float32. */
const ON_CODE = 1e-2
/** Of fewer numbers some codes fit any. */
const TELLING = 8

/**
 * The code of each slice's largest weight: the last one, but where weights lie on codes already and that one would move
 * them, as in files whose weights were rounded to fewer bits, or whose largest fell short. Then the largest code with
 * which rounding again changes nothing.
 */
function largestCodes(
  values: Float32Array,
  { count, stride }: Slices,
  magnitudes: Float64Array,
  codeMax: number,
): number[] {
  return Array.from(magnitudes, (magnitude, slice) => {
    if (values.length / count < TELLING || magnitude < DEAD_MAGNITUDE) return codeMax
    for (let code = codeMax; code > 1; code -= 1)
      if (liesOnCodes(values, slice * stride, { count, stride }, magnitude / code)) return code
    return codeMax
  })
}

function liesOnCodes(
  values: Float32Array,
  start: number,
  { count, stride }: Slices,
  step: number,
): boolean {
  const run = count === 1 ? values.length : stride
  for (let from = start; from < values.length; from += count * run)
    for (let i = from; i < from + run; i += 1) {
      const code = (values[i] as number) / step
      if (Math.abs(code - Math.round(code)) > ON_CODE) return false
    }
  return true
}

/**
 * Parameters that training rounded a weight for, so that rounding again changes nothing: the narrow codes of its
 * range, or all 256. Null where the file states no symmetric range, or the numbers do not lie on its codes.
 */
export function learntParameters(
  { range, shape }: Pick<GraphTensor, 'range' | 'shape'>,
  values: Float32Array,
  axis: number | null,
): AffineParameters | null {
  if (range === null) return null
  const { min, max } = range
  const scale = [max / 127, (max - min) / 255].find((step) =>
    values.every((value) => Math.abs(value / step - Math.round(value / step)) < ON_CODE),
  )
  if (scale === undefined || !(scale > 0)) return null
  const { count } = slicesOf(shape ?? [], axis)
  const scales = Array.from({ length: count }, () => Math.fround(scale))
  return { scales, zeroPoints: scales.map(() => 0), axis }
}

/**
 * Raises weight scales until every bias fits its int32 code at scale input × weight: a channel with
 * tiny weights and a finite bias would overflow. (AdjustWeightsForBiasScale in LiteRT's converter.)
 */
export function guardBias(
  weight: AffineParameters,
  inputScale: number,
  bias: Float32Array,
): AffineParameters {
  const scales = Array.from({ length: Math.max(weight.scales.length, 1) }, (_, i) => {
    const scale = weight.scales[i] as number
    const largest = weight.axis === null ? largestMagnitude(bias) : Math.abs(bias[i] ?? 0)
    const limit = BIAS_SHARE * 2 ** 31 * inputScale
    return largest < limit * scale ? scale : roundUp(largest / limit)
  })
  return scales.every((scale, i) => scale === weight.scales[i]) ? weight : { ...weight, scales }
}

/** Bias codes live at the accumulator's scale: input × weight, zero point 0. */
export function biasParameters(inputScale: number, weight: AffineParameters): AffineParameters {
  const scales = weight.scales.map((scale) => Math.fround(inputScale * scale))
  return {
    scales,
    zeroPoints: scales.map(() => 0),
    axis: weight.axis === null ? null : 0,
  }
}

function largestMagnitude(values: Float32Array): number {
  return values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
}

/** The next float32 at or above `value`, so that the guard holds after rounding too. */
function roundUp(value: number): number {
  const rounded = Math.fround(value)
  return rounded >= value ? rounded : Math.fround(value * (1 + 2 ** -23))
}
