import t from 'tap'
import type { TflUnion } from '../../../../planner/formats/tflite/index.ts'
import { quantizableTflite } from '../../../../planner/formats/tflite/quantizable.ts'
import { viewOf } from '../../../../planner/formats/tflite/view.ts'
import { calibrate } from '../../../../planner/quantizer/calibrate/calibrate.ts'
import { momentsPlans } from '../../../../planner/quantizer/calibrate/moments-plans.ts'
import { InferencePool } from '../../../../planner/quantizer/inference-pool/inference-pool.ts'
import { MomentsObserver } from '../../../../planner/quantizer/observers/moments.ts'
import type { MomentBlock } from '../../../../planner/quantizer/observers/statistics.ts'
import { weightRows } from '../../../../planner/quantizer/parameters/rows.ts'
import { toDataset } from '../../../../shared/dataset/index.ts'
import { sizeOf } from '../../../../shared/tensors.ts'
import { realOutputs } from '../compare.ts'
import { buildModel, buildTflite, constant, type ModelSpec, numbers } from '../model-builder.ts'

const SAMPLES = 3

const step = { strideW: 2, strideH: 1, dilationWFactor: 1, dilationHFactor: 1 }

/** One product without a bias; its name says what is special. */
const products: Readonly<Record<string, ModelSpec>> = {
  'fully connected': product('FULLY_CONNECTED', [2, 5], [3, 5], [2, 3], {
    type: 'FullyConnectedOptions',
    weightsFormat: 'DEFAULT',
  }),
  'convolution with padding and a stride': product(
    'CONV_2D',
    [1, 4, 6, 2],
    [3, 3, 3, 2],
    [1, 4, 3, 3],
    { type: 'Conv2DOptions', padding: 'SAME', ...step },
  ),
  'grouped convolution': product('CONV_2D', [1, 4, 6, 4], [2, 3, 3, 2], [1, 2, 2, 2], {
    type: 'Conv2DOptions',
    padding: 'VALID',
    ...step,
  }),
  'depthwise convolution with a multiplier': product(
    'DEPTHWISE_CONV_2D',
    [1, 4, 6, 2],
    [1, 3, 3, 4],
    [1, 4, 6, 4],
    { type: 'DepthwiseConv2DOptions', padding: 'SAME', ...step, strideW: 1, depthMultiplier: 2 },
  ),
}

function product(
  code: string,
  input: readonly number[],
  weight: readonly number[],
  output: readonly number[],
  options: TflUnion,
): ModelSpec {
  const channels = code === 'DEPTHWISE_CONV_2D' ? weight[3] : weight[0]
  return {
    inputs: { x: input },
    constants: {
      w: constant(weight, -1, 1, 7),
      b: { shape: [channels ?? 0], data: new Float32Array(channels ?? 0) },
    },
    operators: [{ code, inputs: ['x', 'w', 'b'], outputs: { y: output }, options }],
    outputs: ['y'],
  }
}

t.test('wᵀHw is the energy of what the runtime computes with w', async (t) => {
  for (const [name, spec] of Object.entries(products)) {
    const shape = spec.inputs.x as readonly number[]
    const data = numbers([SAMPLES, ...shape], -1, 1, 3)
    const graph = viewOf(buildModel(spec))
    const [plan] = momentsPlans(graph, new Set([0])).get(0) ?? []
    const [operator] = graph.operators
    const weight = graph.tensors[1]
    if (!plan || !operator || !weight) throw new Error('the product is observed')
    const observer = new MomentsObserver(plan, SAMPLES)
    const size = sizeOf(shape)
    for (let i = 0; i < SAMPLES; i += 1) observer.see(data.subarray(i * size, (i + 1) * size), i)
    const rows = weightRows(operator, weight)
    const values = weight.constant?.read() ?? new Float32Array(0)
    const outputs = rows?.outputs ?? 0
    const perGroup = outputs / plan.groups
    const { blocks } = observer.result()
    let energy = 0
    for (const block of blocks) {
      for (let i = 0; i < perGroup; i += 1) {
        const start = rows?.start(block.group * perGroup + i) ?? 0
        energy += quadratic(block, (k) => values[start + (rows?.offsets[k] ?? 0)] as number)
      }
    }
    const x = { type: 'float32', shape: [SAMPLES, ...shape], data } as const
    const found = await realOutputs(buildTflite(spec), toDataset(new Map([['x', x]]), 'noise'))
    const expected = (found.get('y') ?? []).reduce((sum, value) => sum + value * value, 0)
    t.ok(expected > 0, name)
    t.ok(Math.abs(energy / expected - 1) < 1e-5, `${name}: ${energy} for ${expected}`)
  }
})

function quadratic({ start, size, sums }: MomentBlock, weightAt: (k: number) => number): number {
  let sum = 0
  for (let i = 0; i < size; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      const twice = i === j ? 1 : 2
      sum += twice * (sums[i * size + j] as number) * weightAt(start + i) * weightAt(start + j)
    }
  }
  return sum
}

t.test('vectors with what is no number are not counted', async (t) => {
  const plan = { operator: 0, width: 3, groups: 1, channelsFirst: false, window: [] }
  const observer = new MomentsObserver(plan, 1)
  const values = [1, 2, 3, 1, Number.NaN, 1, 2, 0, Number.NEGATIVE_INFINITY, 4, 5, 6]
  observer.see(Float32Array.from(values), 0)
  const { rows, blocks } = observer.result()
  t.equal(rows, 2)
  t.same([...(blocks[0]?.sums ?? [])], [17, 0, 0, 22, 29, 0, 27, 36, 45])
})

t.test('memory is bounded: many inputs fall into parts', async (t) => {
  const plan = { operator: 0, width: 2000, groups: 1, channelsFirst: false, window: [] }
  const { blocks } = new MomentsObserver(plan, 1).result()
  t.equal(blocks.length, 3)
  t.equal(
    blocks.reduce((sum, { size }) => sum + size, 0),
    2000,
  )
  t.ok(blocks.every(({ size }) => size <= 768))
})

t.test('vectors are counted once each, however many wait to be added together', async (t) => {
  for (const vectors of [1, 4, 1023]) {
    const plan = { operator: 0, width: 4, groups: 1, channelsFirst: false, window: [] }
    const observer = new MomentsObserver(plan, 1)
    observer.see(new Float32Array(4 * vectors).fill(1), 0)
    const { rows, blocks } = observer.result()
    t.equal(rows, vectors)
    t.equal(blocks[0]?.sums[0], vectors)
  }
})

/** What is seen of a product, of a rectifier and of a product behind it. */
async function seenOf(samples: number, wanted: readonly number[]) {
  const spec = products['fully connected'] as ModelSpec
  const [first] = spec.operators
  const more = [
    { code: 'RELU', inputs: ['y'], outputs: { z: [2, 3] } },
    { ...first, code: 'FULLY_CONNECTED', inputs: ['z', 'v', 'b'], outputs: { u: [2, 3] } },
  ]
  const constants = { ...spec.constants, v: constant([3, 3], -1, 1, 8) }
  const operators = [...spec.operators, ...more]
  const bytes = buildTflite({ ...spec, constants, operators, outputs: ['u'] })
  const model = await quantizableTflite.open(bytes, { sources: 'keep', forIntegers: true })
  const data = numbers([samples, 2, 5], -1, 1, 3)
  const x = { type: 'float32', shape: [samples, 2, 5], data } as const
  const pool = new InferencePool({ format: 'tflite' })
  try {
    const dataset = toDataset(new Map([['x', x]]), 'noise')
    const wish = { moments: new Set(wanted) }
    return (await calibrate(model, pool, dataset, () => {}, wish)).statistics
  } finally {
    await pool.close()
  }
}

t.test('second moments are looked at where they are asked for, and nothing else is', async (t) => {
  for (const wanted of [[2], []]) {
    const statistics = await seenOf(SAMPLES, wanted)
    const moments = statistics.flatMap((one) => one.moments)
    t.same(
      moments.map(({ operator }) => operator),
      wanted,
    )
    t.ok(statistics.every(({ count }) => count === 0))
  }
})

t.test('of many samples every fourth is held out', async (t) => {
  for (const [samples, seen] of [
    [63, 63],
    [64, 48],
  ] as const) {
    const statistics = await seenOf(samples, [2])
    t.equal(statistics.flatMap((one) => one.moments)[0]?.rows, 2 * seen)
  }
})
