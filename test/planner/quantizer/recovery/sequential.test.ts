import t from 'tap'
import type { RecoveryMethod } from '../../../../planner/quantizer/index.ts'
import { InferencePool } from '../../../../planner/quantizer/inference-pool/inference-pool.ts'
import { atOnce } from '../../../../planner/quantizer/recovery/sequential.ts'
import { quantize } from '../../../../planner/variants/quantizer.ts'
import { toDataset } from '../../../../shared/dataset/index.ts'
import { parseScheme } from '../../../../shared/schemes.ts'
import { realOutputs } from '../compare.ts'
import { buildTflite, constant, type ModelSpec, numbers } from '../model-builder.ts'

const LAYERS = 8
const SAMPLES = 40
const IMAGE = [1, 6, 6, 6]

/** ReLU6 after ReLU6: rounding noise before each is cut off on one side, and moves the means behind it. */
function deep(layers = LAYERS): ModelSpec {
  const names = Array.from({ length: layers }, (_, i) => i)
  return {
    inputs: { x: IMAGE },
    constants: Object.fromEntries(
      names.flatMap((i) => [
        [`w${i}`, constant([6, 3, 3, 6], -0.35, 0.35, i + 1)],
        [`b${i}`, { shape: [6], data: numbers([6], -0.1, 0.3, i + 50) }],
      ]),
    ),
    operators: names.map((i) => ({
      code: 'CONV_2D',
      inputs: [i === 0 ? 'x' : `y${i - 1}`, `w${i}`, `b${i}`],
      outputs: { [`y${i}`]: IMAGE },
      options: {
        type: 'Conv2DOptions',
        padding: 'SAME',
        strideW: 1,
        strideH: 1,
        dilationWFactor: 1,
        dilationHFactor: 1,
        fusedActivationFunction: i === layers - 1 ? 'NONE' : 'RELU6',
      },
    })),
    outputs: [`y${layers - 1}`],
  }
}

const model = buildTflite(deep())
function noise(samples: number) {
  const shape = [samples, ...IMAGE]
  return toDataset(
    new Map([['x', { type: 'float32', shape, data: numbers(shape, -1, 3, 77) }]]),
    'noise',
  )
}

const calibration = noise(SAMPLES)

/** How far the mean of each output channel is from where the float model has it: root mean square. */
async function displacement(recovery: readonly RecoveryMethod[]) {
  const scheme = parseScheme('static-w8a8')
  const options = { recovery }
  const result = await quantize({ model, target: 'litert', scheme, calibration, options })
  const [name = ''] = deep().outputs
  const found = (await realOutputs(result.bytes, calibration)).get(name) ?? []
  const expected = (await realOutputs(model, calibration)).get(name) ?? []
  const means = new Float64Array(6)
  found.forEach((value, i) => {
    const error = value - (expected[i] ?? Number.NaN)
    means[i % 6] = (means[i % 6] as number) + error / (found.length / 6)
  })
  return { moved: Math.hypot(...means), steps: result.recovery }
}

t.test('means are back in place behind layers that compute on integers', async (t) => {
  const closed = await displacement(['bias-correction'])
  const sequential = await displacement(['bias-correction', 'sequential-bias-correction'])
  t.ok(closed.moved > 0)
  t.ok(
    sequential.moved < 0.5 * closed.moved,
    `off by ${sequential.moved.toExponential(1)}, after closed form by ${closed.moved.toExponential(1)}`,
  )
  const step = sequential.steps.find(({ method }) => method === 'sequential-bias-correction')
  t.ok(step?.kept && step.sqnrDbAfter > step.sqnrDbBefore, 'and outputs are nearer')
})

t.test('where errors of all samples share little, deep models are not corrected', async (t) => {
  const watched = t.capture(InferencePool.prototype, 'watch', InferencePool.prototype.watch)
  const { recovery } = await quantize({
    model: buildTflite(deep(40)),
    target: 'litert',
    scheme: parseScheme('static-w8a8'),
    calibration: noise(4),
    options: { ranges: 'min-max' },
  })
  t.notOk(recovery.some(({ method }) => method === 'sequential-bias-correction'))
  t.ok(watched().length <= 2, 'nothing is run but calibration and second moments')
})

t.test('a deep model is not measured anew for every layer, where nobody asked', async (t) => {
  t.equal(atOnce(20), 1)
  for (const layers of [64, 130, 1000]) {
    const rounds = Math.ceil(layers / atOnce(layers))
    t.ok(rounds * layers <= Math.max(layers, 2 ** 9), `${rounds} rounds over ${layers} products`)
  }
})
