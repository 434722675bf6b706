import { randomOf } from '../planner/formats/tflite/random.ts'
import { buildTflite, type ConstantSpec, dense } from '../planner/quantizer/model-builder.ts'

/** What the demo's samples are, flat, and how many classes they have. */
const SHAPE = [1, 64, 32, 1] as const
const FLAT = 64 * 32
const CLASSES = 6

/** A model for the demo's samples with about so many weights, which were trained on nothing: what counts is what it weighs. */
export function wideModel(weights: number): Uint8Array {
  const random = randomOf(7)
  const width = Math.max(1, Math.round(weights / FLAT))
  const drawn = (...shape: [number, number]): ConstantSpec => ({
    shape,
    data: Float32Array.from({ length: shape[0] * shape[1] }, () => (random() - 0.5) / 16),
  })
  return buildTflite({
    inputs: { spectrogram: SHAPE },
    constants: {
      flat: { shape: [2], data: Int32Array.of(1, FLAT) },
      first: drawn(width, FLAT),
      second: drawn(CLASSES, width),
    },
    operators: [
      { code: 'RESHAPE', inputs: ['spectrogram', 'flat'], outputs: { row: [1, FLAT] } },
      dense('row', 'first', 'hidden', width),
      dense('hidden', 'second', 'fault', CLASSES),
    ],
    outputs: ['fault'],
    signature: 'serving_default',
  })
}
