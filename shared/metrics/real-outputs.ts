import { realValues } from '../dataset/index.ts'
import type { TensorInfo } from '../runtime/index.ts'
import type { Tensor } from '../tensors.ts'

/** Real values of an output: integers with quantization become scale × (q − zeroPoint). */
export function dequantized(info: TensorInfo, tensor: Tensor): ArrayLike<number> {
  const raw = realValues(tensor.type, tensor.data)
  if (info.quantization === undefined) return raw
  const { scale, zeroPoint } = info.quantization
  const real = new Float64Array(raw.length)
  for (let i = 0; i < real.length; i++) real[i] = scale * ((raw[i] ?? 0) - zeroPoint)
  return real
}

/** Number of classes of an output that scores classes: one dimension other than 1; undefined for anything else. */
export function classesOf(shape: readonly number[]): number | undefined {
  const wide = shape.filter((dim) => dim !== 1)
  return wide.length === 1 && (wide[0] ?? 0) >= 2 ? wide[0] : undefined
}

/** Index of the largest score, the first of equals; -1 where a score is NaN. */
export function argmax(scores: ArrayLike<number>): number {
  let best = 0
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] ?? Number.NaN
    if (Number.isNaN(score)) return -1
    if (score > (scores[best] ?? 0)) best = i
  }
  return best
}
