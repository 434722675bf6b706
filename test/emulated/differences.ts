import { sqnrDb } from '../../shared/measure/index.ts'
import type { Tensor } from '../../shared/tensors.ts'

/** How one machine's answers lie to another's, or a small model's to the float model's; samples first. */
export interface Difference {
  /** Share of samples whose largest output is the same one. */
  readonly agreement: number
  readonly sqnrDb: number | null
  /** Share of numbers that are not the same, and the most that one is off. */
  readonly share: number
  readonly worst: number
}

export function differenceOf(expected: Tensor, found: Tensor): Difference {
  const [a, b] = [expected.data, found.data].map((data) => Float32Array.from(data as Float32Array))
  if (a === undefined || b === undefined || a.length !== b.length) {
    throw new Error(`${expected.shape} against ${found.shape}: not the same outputs`)
  }
  const size = a.length / (expected.shape[0] ?? 1)
  let [same, differing, worst, signal, noise] = [0, 0, 0, 0, 0]
  for (let from = 0; from < a.length; from += size) {
    if (largest(a, from, size) === largest(b, from, size)) same += 1
  }
  a.forEach((value, i) => {
    const off = Math.abs(value - (b[i] as number))
    if (off > 0) differing += 1
    worst = Math.max(worst, off)
    signal += value ** 2
    noise += off ** 2
  })
  return {
    agreement: (same * size) / a.length,
    sqnrDb: sqnrDb(signal, noise),
    share: differing / a.length,
    worst,
  }
}

function largest(numbers: Float32Array, from: number, size: number): number {
  let at = from
  for (let i = from; i < from + size; i += 1) {
    if ((numbers[i] as number) > (numbers[at] as number)) at = i
  }
  return at - from
}
