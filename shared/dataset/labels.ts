import type { Tensor } from '../tensors.ts'
import { sizeOf } from '../tensors.ts'
import { DatasetError } from './errors.ts'

/**
 * Class indices from `y`: one integer per sample (n or n×1), or one-hot rows (n×classes).
 * @throws DatasetError `wrong-labels`
 */
export function readLabels(y: Tensor, source: string): Int32Array<ArrayBuffer> {
  const samples = y.shape[0] ?? 0
  const classes = sizeOf(y.shape.slice(1))
  const labels = new Int32Array(samples)
  for (let i = 0; i < samples; i++) {
    const row = Array.from(y.data.subarray(i * classes, (i + 1) * classes), Number)
    const label = classes === 1 ? row[0] : oneHotIndex(row)
    if (label === undefined || !Number.isInteger(label) || label < 0)
      throw new DatasetError(
        'wrong-labels',
        `${source}: "y" of sample ${i} is no class: give class indices from 0, or one-hot rows`,
        { sample: i },
      )
    labels[i] = label
  }
  return labels
}

function oneHotIndex(row: readonly number[]): number | undefined {
  const hot = row.flatMap((value, i) => (value !== 0 ? [i] : []))
  return hot.length === 1 ? hot[0] : undefined
}
