import { randomBytes } from 'node:crypto'
import { formatNpz } from '../../shared/dataset/index.ts'
import { loadRuntime } from '../../shared/runtime/index.ts'
import { sizeOf, type Tensor } from '../../shared/tensors.ts'
import { modelBytes } from '../fixture-models.ts'

const SAMPLES = 8

/** A real model of a given size: what follows the flatbuffer is no part of it, and makes it another variant. */
export function variantOf(bytes = 1_200, fill: 'zeros' | 'random' = 'random'): Buffer {
  const model = Buffer.from(modelBytes('dense.tflite'))
  const rest = Math.max(16, bytes - model.length)
  return Buffer.concat([model, fill === 'random' ? randomBytes(rest) : Buffer.alloc(rest)])
}

/** Inputs and the outputs that `dense.tflite` gives for them, as a planner ships them; `spoil` makes them wrong. */
export async function goldenData(spoil = false): Promise<Buffer> {
  const session = await (await loadRuntime('litert')).load(modelBytes('dense.tflite'))
  try {
    const [input] = session.inputs
    const [output] = session.outputs
    if (!input || !output) throw new Error('dense.tflite has an input and an output')
    const x = Float32Array.from({ length: SAMPLES * sizeOf(input.shape) }, (_, i) => Math.sin(i))
    const reference = new Float32Array(SAMPLES * sizeOf(output.shape))
    for (let i = 0; i < SAMPLES; i += 1) {
      const size = sizeOf(input.shape)
      const data = x.slice(i * size, (i + 1) * size)
      const outputs = await session.run({ [input.name]: { ...input, data } })
      reference.set((outputs[output.name] as Tensor).data as Float32Array, i * sizeOf(output.shape))
    }
    if (spoil) reference.reverse()
    return Buffer.from(
      formatNpz(
        new Map<string, Tensor>([
          ['x', { type: 'float32', shape: [SAMPLES, ...input.shape.slice(1)], data: x }],
          [
            'reference',
            { type: 'float32', shape: [SAMPLES, ...output.shape.slice(1)], data: reference },
          ],
        ]),
      ),
    )
  } finally {
    await session.close()
  }
}
