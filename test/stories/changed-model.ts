import { readFileSync } from 'node:fs'
import { readTflite } from '../../planner/formats/tflite/codec/read.ts'
import { writeTflite } from '../../planner/formats/tflite/codec/write.ts'
import { SMALL_MODEL } from '../planner/variants/small-model.ts'

/** The small model with each float weight as `change` makes it. */
export function withWeights(change: (weight: number, at: number) => number): Uint8Array {
  const model = readTflite(new Uint8Array(readFileSync(SMALL_MODEL)))
  const weights = new Set(
    model.subgraphs.flatMap(({ tensors }) =>
      tensors.filter(({ type }) => type === 'FLOAT32').map(({ buffer }) => buffer),
    ),
  )
  for (const at of weights) {
    const data = model.buffers[at]?.data
    if (!data || data.length % 4 !== 0) continue
    const floats = new Float32Array(data.slice().buffer).map(change)
    model.buffers[at] = { ...model.buffers[at], data: new Uint8Array(floats.buffer) } as never
  }
  return writeTflite(model)
}
