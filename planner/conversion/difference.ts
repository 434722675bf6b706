import { fromHalf } from '../../shared/half.ts'
import type { Tensor } from '../../shared/tensors.ts'

/** Largest difference as a share of the expected values' range; of their magnitude where they are all alike. */
export function differenceOf(actual: Tensor, expected: Tensor): number {
  if (actual.shape.join() !== expected.shape.join()) return Number.POSITIVE_INFINITY
  const [ours, theirs] = [numbersOf(actual), numbersOf(expected)]
  if (!/^float/.test(expected.type))
    return theirs.every((value, i) => value === ours[i]) ? 0 : Number.POSITIVE_INFINITY
  let [low, high, largest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]
  for (const [i, wanted] of theirs.entries()) {
    const got = ours[i] as number
    if (wanted === got || (Number.isNaN(wanted) && Number.isNaN(got))) {
      if (Number.isFinite(wanted)) [low, high] = [Math.min(low, wanted), Math.max(high, wanted)]
      continue
    }
    if (!Number.isFinite(wanted) || !Number.isFinite(got)) return Number.POSITIVE_INFINITY
    largest = Math.max(largest, Math.abs(wanted - got))
    ;[low, high] = [Math.min(low, wanted), Math.max(high, wanted)]
  }
  if (largest === 0) return 0
  const range = high - low
  return largest / Math.max(range > 0 ? range : Math.abs(high), 1e-6)
}

function numbersOf({
  type,
  data,
}: Tensor): ArrayLike<number> & {
  entries(): Iterable<[number, number]>
  every(test: (value: number, i: number) => boolean): boolean
} {
  if (type === 'float16') return Float32Array.from(data as Uint16Array, fromHalf)
  if (type === 'int64' || type === 'uint64') return Float64Array.from(data as BigInt64Array, Number)
  return data as Float32Array
}
