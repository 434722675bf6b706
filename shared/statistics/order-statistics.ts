import { invariant } from '../errors.ts'
import { fairCoinCdf } from './proportions.ts'

export function sorted(values: Iterable<number>): Float64Array {
  return Float64Array.from(values).sort()
}

/** Of sorted values; the lower of two middle ones counts half. */
export function medianOf(values: Float64Array): number {
  invariant(values.length > 0, 'a median needs a value')
  const middle = values.length >> 1
  const upper = values[middle] ?? 0
  return values.length % 2 === 1 ? upper : (upper + (values[middle - 1] ?? 0)) / 2
}

/** Of sorted values, nearest rank: the smallest value with at least this share at or below it. */
export function quantileOf(values: Float64Array, share: number): number {
  return values[Math.max(0, Math.ceil(share * values.length) - 1)] ?? Number.NaN
}

/**
 * Distribution-free 95 % confidence interval of the median, of sorted values: the order statistics whose ranks a
 * fair coin leaves outside at most 2.5 % on each side. Below six values it is the whole range, and holds less.
 * (David & Nagaraja, Order Statistics, §7.1.)
 */
export function medianCi95(values: Float64Array): [number, number] {
  const n = values.length
  // With rank k cut off at each end, the median lies outside with probability 2·P(heads ≤ k).
  let cut = 0
  while (fairCoinCdf(cut, n) <= 0.025) cut += 1
  const rank = Math.max(0, cut - 1)
  return [values[rank] ?? Number.NaN, values[n - 1 - rank] ?? Number.NaN]
}

/** Median absolute deviation from the median, of sorted values. */
export function madOf(values: Float64Array): number {
  const middle = medianOf(values)
  return medianOf(sorted(values.map((value) => Math.abs(value - middle))))
}

export function meanOf(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i] ?? 0
  return sum / values.length
}

/** Standard deviation over mean. */
export function coefficientOfVariation(values: ArrayLike<number>): number {
  const mean = meanOf(values)
  let squares = 0
  for (let i = 0; i < values.length; i++) squares += ((values[i] ?? 0) - mean) ** 2
  return values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1)) / mean
}
