import t from 'tap'
import { viewOf } from '../../../../planner/formats/tflite/view.ts'
import { linksOf } from '../../../../planner/graph/links.ts'
import type { RecoveryMethod } from '../../../../planner/quantizer/index.ts'
import { pairsOf } from '../../../../planner/quantizer/recovery/equalization/pairs.ts'
import { quantize } from '../../../../planner/variants/quantizer.ts'
import { toDataset } from '../../../../shared/dataset/index.ts'
import { parseScheme } from '../../../../shared/schemes.ts'
import { outputSqnr } from '../compare.ts'
import { buildModel, buildTflite, type ModelSpec, numbers } from '../model-builder.ts'

const CHANNELS = 8

/** Weights whose output channels differ in size, the largest `spread` times the smallest. */
function uneven(shape: readonly number[], spread: number, axis: number, seed: number) {
  const stride = shape.slice(axis + 1).reduce((product, dim) => product * dim, 1)
  const count = shape[axis] ?? 1
  const data = numbers(shape, -0.5, 0.5, seed).map(
    (value, i) => value * spread ** (((Math.floor(i / stride) % count) + 0.5) / count - 0.5),
  )
  return { shape, data }
}

function plain(channels: number, high: number) {
  return { shape: [channels], data: numbers([channels], 0, high, 5) }
}

const window = {
  padding: 'SAME',
  strideW: 1,
  strideH: 1,
  dilationWFactor: 1,
  dilationHFactor: 1,
}

/** Convolution, depthwise convolution, pool, convolution: channels of very different size between them. */
function chain(activation: string, spread: number, last: readonly string[] = ['y']): ModelSpec {
  const fused = { ...window, fusedActivationFunction: activation }
  const image = [1, 6, 6, CHANNELS]
  return {
    inputs: { x: [1, 6, 6, 4] },
    constants: {
      w1: uneven([CHANNELS, 3, 3, 4], spread, 0, 1),
      b1: plain(CHANNELS, 0.1),
      w2: uneven([1, 3, 3, CHANNELS], 1, 3, 2),
      b2: plain(CHANNELS, 0.1),
      w3: uneven([3, 1, 1, CHANNELS], 1 / spread, 3, 3),
      b3: plain(3, 0.1),
    },
    operators: [
      {
        code: 'CONV_2D',
        inputs: ['x', 'w1', 'b1'],
        outputs: { a: image },
        options: { type: 'Conv2DOptions', ...fused },
      },
      {
        code: 'DEPTHWISE_CONV_2D',
        inputs: ['a', 'w2', 'b2'],
        outputs: { b: image },
        options: { type: 'DepthwiseConv2DOptions', depthMultiplier: 1, ...fused },
      },
      {
        code: 'MAX_POOL_2D',
        inputs: ['b'],
        outputs: { c: [1, 3, 3, CHANNELS] },
        options: {
          type: 'Pool2DOptions',
          padding: 'VALID',
          strideW: 2,
          strideH: 2,
          filterWidth: 2,
          filterHeight: 2,
          fusedActivationFunction: 'NONE',
        },
      },
      {
        code: 'CONV_2D',
        inputs: ['c', 'w3', 'b3'],
        outputs: { y: [1, 3, 3, 3] },
        options: { type: 'Conv2DOptions', ...window, fusedActivationFunction: 'NONE' },
      },
    ],
    outputs: last,
  }
}

function dataOf(samples: number, seed: number) {
  const shape = [samples, 6, 6, 4]
  const x = { type: 'float32', shape, data: numbers(shape, -1, 1, seed) } as const
  return toDataset(new Map([['x', x]]), 'noise')
}

async function decibels(spec: ModelSpec, recovery: readonly RecoveryMethod[]) {
  const model = buildTflite(spec)
  const calibration = dataOf(32, 1)
  const scheme = parseScheme('static-w8a8')
  const made = await quantize({
    model,
    target: 'litert',
    scheme,
    calibration,
    options: { recovery },
  })
  return { db: (await outputSqnr(model, made.bytes, dataOf(16, 2))).y ?? 0, steps: made.recovery }
}

t.test('channels of different size: several dB are won, on data that nobody saw', async (t) => {
  for (const activation of ['NONE', 'RELU']) {
    const spec = chain(activation, 400)
    const [before, after] = [await decibels(spec, []), await decibels(spec, ['equalization'])]
    t.ok(after.db > before.db + 5, `${activation}: ${before.db} → ${after.db}`)
    const [step] = after.steps
    t.equal(step?.kept, true)
    t.ok((step?.sqnrDbAfter ?? 0) > (step?.sqnrDbBefore ?? 0) + 5, 'and the report says so')
  }
})

t.test('a ReLU6 that clips some channels leaves those alone, and nothing breaks', async (t) => {
  const spec = chain('RELU6', 400)
  const [before, after] = [await decibels(spec, []), await decibels(spec, ['equalization'])]
  t.ok(after.db > before.db - 0.5, `${before.db} → ${after.db}`)
})

t.test('what is even already gains next to nothing', async (t) => {
  const { steps } = await decibels(chain('RELU', 1), ['equalization'])
  const [step] = steps
  t.ok(
    step && step.sqnrDbAfter - step.sqnrDbBefore < 1,
    `${step?.sqnrDbBefore} → ${step?.sqnrDbAfter}`,
  )
})

t.test('only products that meet channel by channel make a pair', async (t) => {
  const pairs = (spec: ModelSpec) => {
    const graph = viewOf(buildModel(spec))
    return pairsOf(graph, linksOf(graph)).map(({ first, second, ceiling }) => [
      first.name,
      second.name,
      ceiling,
    ])
  }
  const free = Number.POSITIVE_INFINITY
  t.same(pairs(chain('RELU', 1)), [
    ['a', 'b', free],
    ['b', 'y', free],
  ])
  t.same(pairs(chain('RELU6', 1)), [
    ['a', 'b', 6],
    ['b', 'y', 6],
  ])
  t.same(pairs(chain('TANH', 1)), [], 'tanh does not scale')
  t.same(pairs(chain('RELU', 1, ['y', 'c'])), [['a', 'b', free]], 'somebody else reads c')
})
