import t from 'tap'
import { TensorObserver } from '../../../../planner/quantizer/observers/observer.ts'
import { ClippingError } from '../../../../planner/quantizer/ranges/clipping.ts'
import { RANGE_METHODS } from '../../../../planner/quantizer/ranges/methods.ts'
import { quantize } from '../../../../planner/variants/quantizer.ts'
import { type Dataset, toDataset } from '../../../../shared/dataset/index.ts'
import { parseScheme } from '../../../../shared/schemes.ts'
import {
  buildTflite,
  constant,
  dense,
  type ModelSpec,
  numbers,
  type OperatorSpec,
} from '../model-builder.ts'

const gated = (x: number) => x / (1 + Math.exp(-x))

t.test('what a gate answers nearly alike is cut off, and counted as it is read', async (t) => {
  const values = numbers([50_000], -40, 2)
  const observer = new TensorObserver({ tensor: 0, channels: 0, samples: 1 })
  observer.see(values, 0)
  const statistics = observer.result()
  const range = RANGE_METHODS.mse(statistics, 255, gated)
  t.ok(range.min > -12 && range.min < -3, `from ${range.min}`)
  t.ok(range.max > 1.8, `to ${range.max}`)
  const step = (range.max - range.min) / 255
  let real = 0
  for (const value of values) {
    const coded = Math.min(range.max, Math.max(range.min, Math.round(value / step) * step))
    real += (gated(value) - gated(coded)) ** 2 / values.length
  }
  const ratio = new ClippingError(statistics.histogram, gated).of(range, 255) / real
  t.ok(ratio > 0.8 && ratio < 1.25, `expected error is near the real one: ${ratio.toFixed(3)}`)
})

const WIDTH = 16

/** Of the numbers before the gates half lie within 2, and half near −40. */
function behindGates(readers: readonly OperatorSpec[]): ModelSpec {
  const pairs = { ...constant([WIDTH, 2 * WIDTH]), data: new Float32Array(2 * WIDTH * WIDTH) }
  for (let i = 0; i < WIDTH; i += 1) {
    pairs.data[i * 2 * WIDTH + i] = 2
    pairs.data[i * 2 * WIDTH + WIDTH + i] = -40
  }
  return {
    inputs: { x: [1, 2 * WIDTH] },
    constants: { pairs, mixed: constant([WIDTH, WIDTH], -1, 1, 5) },
    operators: [dense('x', 'pairs', 'h', WIDTH), ...readers, dense('g', 'mixed', 'y', WIDTH)],
    outputs: ['y'],
  }
}

const SAMPLES = 1000

/** The second half of the channels says, by 0 or 1, which gates are closed. */
function samples(): Dataset {
  const data = numbers([SAMPLES, 2 * WIDTH], -1, 1, 9).map((value, i) =>
    i % (2 * WIDTH) < WIDTH ? value : Number(value > 0),
  )
  const x = { type: 'float32', shape: [SAMPLES, 2 * WIDTH], data } as const
  return toDataset(new Map([['x', x]]), 'gates')
}

const shape = [1, WIDTH]
const readers: Readonly<Record<string, readonly OperatorSpec[]>> = {
  'a gate': [
    { code: 'LOGISTIC', inputs: ['h'], outputs: { s: shape } },
    {
      code: 'MUL',
      inputs: ['h', 's'],
      outputs: { g: shape },
      options: { type: 'MulOptions', fusedActivationFunction: 'NONE' },
    },
  ],
  'a rectifier': [{ code: 'RELU', inputs: ['h'], outputs: { g: shape } }],
}

for (const [name, operators] of Object.entries(readers))
  t.test(`codes before ${name} are not spent on what it makes nothing of`, async (t) => {
    const { level } = await quantize({
      model: buildTflite(behindGates(operators)),
      target: 'litert',
      scheme: parseScheme('static-w8a8'),
      calibration: samples(),
      options: { recovery: [] },
    })
    t.ok((level?.outputs[0]?.sqnrDb ?? 0) > 34, `${level?.outputs[0]?.sqnrDb} dB`)
  })
