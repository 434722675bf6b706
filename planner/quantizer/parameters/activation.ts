import {
  type ActivationType,
  type AffineParameters,
  INTEGER_LIMITS,
  perTensor,
  type Range,
  roundHalfAway,
  SENTINEL_MAGNITUDE,
} from '../../graph/index.ts'

/** Kernels multiply scales with each other: what reaches further gives scales that overflow. */
export const LARGEST_MAGNITUDE = 1e18

/** Below this a float32 scale loses bits (subnormals), and kernels' multipliers overflow. */
const SMALLEST_WIDTH = 1e-30

/** Stands in for a tensor that was never anything but zero: any scale is exact for it, 0 is none. */
const DEAD_RANGE: Range = { min: 0, max: 1 }

/** Zero must have a code of its own: padding and ReLU write it. */
export function includeZero(range: Range): Range {
  const min = Math.min(range.min, 0)
  const max = Math.max(range.max, 0)
  return max - min < SMALLEST_WIDTH ? DEAD_RANGE : { min, max }
}

/**
 * Parameters of an activation over `range`. 8 bit: asymmetric over the full code range, zero point
 * nudged to an integer; 16 bit: symmetric, zero point 0. (LiteRT 8-bit quantization specification;
 * quantization_utils.cc for the rounding.)
 */
export function activationParameters(range: Range, type: ActivationType): AffineParameters {
  const { min, max } = includeZero(range)
  if (type === 'int16') return perTensor(Math.max(-min, max) / INTEGER_LIMITS.int16.max, 0)
  const limits = INTEGER_LIMITS[type]
  const scale = Math.fround((max - min) / (limits.max - limits.min))
  const zeroPoint = roundHalfAway(limits.min - min / scale)
  return perTensor(scale, Math.min(limits.max, Math.max(limits.min, zeroPoint)))
}

/** The same real numbers under uint8 codes: what `-iou8` shows at the model's edge. */
export function asUint8(parameters: AffineParameters): AffineParameters {
  return { ...parameters, zeroPoints: parameters.zeroPoints.map((zeroPoint) => zeroPoint + 128) }
}

/** Range of a constant used as an activation; sentinels saturate instead of stretching it. Null if it has no number. */
export function rangeOf(values: Float32Array): Range | null {
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (const value of values) {
    if (!(Math.abs(value) < SENTINEL_MAGNITUDE)) continue
    if (value < min) min = value
    if (value > max) max = value
  }
  return min <= max ? { min, max } : null
}
