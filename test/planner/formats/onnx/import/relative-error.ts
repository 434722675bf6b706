import type { Tensor, TensorData } from '../../../../../shared/tensors.ts'

/** Largest difference, as a share of the largest magnitude expected; infinite where shapes differ. */
export function relativeError(
  actual: Tensor,
  expected: TensorData,
  shape: readonly number[],
): number {
  const same =
    actual.shape.length === shape.length && actual.shape.every((dim, i) => dim === shape[i])
  if (!same || actual.data.length !== expected.length) return Number.POSITIVE_INFINITY
  let difference = 0
  let magnitude = 1e-6
  for (let i = 0; i < expected.length; i += 1) {
    const wanted = Number(expected[i])
    difference = Math.max(difference, Math.abs(wanted - Number(actual.data[i])))
    magnitude = Math.max(magnitude, Math.abs(wanted))
  }
  return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference / magnitude
}
