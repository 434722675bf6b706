import type { Tensor } from '../../tensors.ts'
import { RuntimeError } from '../errors.ts'

const LEAST = -(2n ** 31n)
const MOST = 2n ** 31n - 1n

/**
 * OpenVINO's CPU computes 64-bit integers in 32 bits, and wraps around what does not fit without a word.
 * @throws RuntimeError `run-failed`
 */
export function refuseWide(name: string, { type, data }: Tensor): void {
  if (!(data instanceof BigInt64Array || data instanceof BigUint64Array)) return
  for (const value of data) {
    if (value >= LEAST && value <= MOST) continue
    throw new RuntimeError(
      'run-failed',
      `OpenVINO's CPU computes ${type} in 32 bits, which ${value} of input "${name}" does not fit: use another runtime for this model`,
      { name, value: String(value) },
    )
  }
}
