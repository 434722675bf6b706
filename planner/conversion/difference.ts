import { realValues } from '../../shared/dataset/index.ts'
import type { Tensor } from '../../shared/tensors.ts'

/**
 * Largest difference as a share of the expected values' range; of their magnitude where they are all alike.
 */
export function differenceOf(actual: Tensor, expected: Tensor): number {
  if (actual.shape.join() !== expected.shape.join()) return Number.POSITIVE_INFINITY
  const [ours, theirs] = [actual, expected].map(({ type, data }) => realValues(type, data)) as [
    ArrayLike<number>,
    ArrayLike<number>,
  ]
  const exact = !/^float/.test(expected.type)
  let largest = 0
  for (let i = 0; i < theirs.length; i += 1) {
    const distance = distanceOf(ours[i] as number, theirs[i] as number)
    if (exact && distance > 0) return Number.POSITIVE_INFINITY
    largest = Math.max(largest, distance)
  }
  return largest === 0 ? 0 : largest / spreadOf(theirs)
}

/** Squares of the expected values and of the differences, summed: their ratio is what noise leaves of a signal. */
export function energyOf(actual: Tensor, expected: Tensor): { signal: number; noise: number } {
  if (actual.shape.join() !== expected.shape.join())
    return { signal: 0, noise: Number.POSITIVE_INFINITY }
  const [ours, theirs] = [actual, expected].map(({ type, data }) => realValues(type, data)) as [
    ArrayLike<number>,
    ArrayLike<number>,
  ]
  let [signal, noise] = [0, 0]
  for (let i = 0; i < theirs.length; i += 1) {
    const distance = distanceOf(ours[i] as number, theirs[i] as number)
    noise += distance * distance
    if (Number.isFinite(theirs[i])) signal += (theirs[i] as number) ** 2
  }
  return { signal, noise }
}

/** What is no number must be the same on both sides. */
function distanceOf(got: number, wanted: number): number {
  if (wanted === got || (Number.isNaN(wanted) && Number.isNaN(got))) return 0
  const both = Number.isFinite(wanted) && Number.isFinite(got)
  return both ? Math.abs(wanted - got) : Number.POSITIVE_INFINITY
}

/**
 * Least range that errors are a share of: the functions of both runtimes are right to some 1e-7, however small the value,
 * so that a saturated sigmoid says nothing about a conversion.
 */
const LEAST_SPREAD = 1e-3

/** Range of the values; of one value alone its magnitude. */
function spreadOf(values: ArrayLike<number>): number {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] as number
    if (!Number.isFinite(value)) continue
    ;[low, high] = [Math.min(low, value), Math.max(high, value)]
  }
  return Math.max(high - low > 0 ? high - low : Math.abs(high), LEAST_SPREAD)
}
