import type { Tensor } from '../../shared/tensors.ts'
import { DataFolderError } from './errors.ts'
import type { LabelledBox } from './labels/label-set.ts'

/** In pixels of the model's input. */
export type PlacedBox = LabelledBox

const NUMBERS = 6

/** Rows of class, corners and 1 for a crowd, padded with class -1: what the metric of boxes takes. */
export function boxesTensor(boxes: readonly (readonly PlacedBox[])[]): Tensor {
  const most = Math.max(1, ...boxes.map(({ length }) => length))
  const data = new Float32Array(boxes.length * most * NUMBERS)
  for (let at = 0; at < data.length; at += NUMBERS) data[at] = -1
  for (const [sample, list] of boxes.entries()) {
    for (const [i, { label, left, top, right, bottom, crowd }] of list.entries()) {
      data.set([label, left, top, right, bottom, crowd ? 1 : 0], (sample * most + i) * NUMBERS)
    }
  }
  return { type: 'float32', shape: [boxes.length, most, NUMBERS], data }
}

/** @throws DataFolderError `wrong-labels` where a file has none */
export function valuesTensor(
  values: readonly (number | undefined)[],
  names: readonly string[],
  source: string,
): Tensor {
  const missing = values.indexOf(undefined)
  if (missing >= 0) {
    throw new DataFolderError('wrong-labels', `${source} has no label for ${names[missing]}`, {
      source,
    })
  }
  const known = values as readonly number[]
  const shape = [values.length]
  return known.every(Number.isInteger)
    ? { type: 'int32', shape, data: Int32Array.from(known) }
    : { type: 'float32', shape, data: Float32Array.from(known) }
}
