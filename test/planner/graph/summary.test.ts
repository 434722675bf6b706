import t from 'tap'
import { writeOnnx } from '../../../planner/formats/onnx/codec.ts'
import { quantizableOnnx } from '../../../planner/formats/onnx/quantizable.ts'
import type { QuantizableModel } from '../../../planner/graph/model-format.ts'
import { calibrate } from '../../../planner/quantizer/calibrate/calibrate.ts'
import { InferencePool } from '../../../planner/quantizer/inference-pool/inference-pool.ts'
import { toDataset } from '../../../shared/dataset/index.ts'
import { randomFrom } from '../formats/onnx/import/one-operator.ts'
import { int64s, numbers, type Row, type SmallOnnx, smallOnnx } from '../formats/onnx/small-onnx.ts'

const QUANTIZING = { sources: 'keep', forIntegers: true } as const
const SAMPLES = 25
const SIDE = 128

/** Large enough that observers would take every third number only. */
async function open(opset: number, channels: number, ...rows: Row[]): Promise<QuantizableModel> {
  const model = smallOnnx({
    opset,
    inputs: { x: [1, 1, SIDE, SIDE] },
    outputs: ['y'],
    constants: {
      w: [channels, 1, 1, 1],
      v: [4, channels, 1, 1],
      low: numbers(-9),
      high: numbers(9),
    },
    rows: [['Conv', ['x', 'w'], ['a']], ...rows, ['Conv', ['b', 'v'], ['y']]],
  })
  return quantizableOnnx.open(writeOnnx(model), QUANTIZING)
}

const random = randomFrom(5)
const NOISE = Float32Array.from({ length: SAMPLES * SIDE * SIDE }, () => random() * 4 - 2)

async function statisticsOf(model: QuantizableModel, data = NOISE, side = SIDE) {
  const pool = new InferencePool({ format: 'onnx' })
  const shape = [data.length / side ** 2, 1, side, side]
  const dataset = toDataset(new Map([['x', { type: 'float32', shape, data }]]), 'pixels')
  try {
    return (await calibrate(model, pool, dataset, () => {})).statistics
  } finally {
    await pool.close()
  }
}

const BETWEEN: Readonly<Record<string, readonly Row[]>> = {
  'a Relu': [['Relu', ['a'], ['b']]],
  'a Clip that no product absorbs, which is no rectifier': [
    ['Neg', ['a'], ['c']],
    ['Clip', ['c', 'low', 'high'], ['b']],
  ],
}

/** ONNX Runtime keeps 16 channels in blocks, where convolutions pick and pools compare. */
const WAYS = [
  { opset: 13, channels: 8 },
  { opset: 18, channels: 8 },
  { opset: 18, channels: 16 },
]

for (const [{ opset, channels }, [what, rows]] of WAYS.flatMap((way) =>
  Object.entries(BETWEEN).map((entry) => [way, entry] as const),
)) {
  t.test(
    `what the runtime sums up is what an observer sees: ${what}, opset ${opset}, ${channels} channels`,
    async (t) => {
      const model = await open(opset, channels, ...rows)
      const { summarise, ...whole } = model
      t.ok(summarise, 'it sums up by default')
      const summed = await statisticsOf(model)
      const seen = await statisticsOf(whole)
      t.same(
        summed.map(({ tensor, min, max, nan, ignored }) => ({ tensor, min, max, nan, ignored })),
        seen.map(({ tensor, min, max, nan, ignored }) => ({ tensor, min, max, nan, ignored })),
      )
      for (const [i, { channels, histogram, count }] of summed.entries()) {
        const other = seen[i]
        channels?.means.forEach((mean, channel) => {
          t.ok(Math.abs(mean - (other?.channels?.means[channel] ?? Number.NaN)) < 2e-2)
        })
        const [ours, theirs] = [histogram, other?.histogram].map(
          (one) => (one?.zeros ?? 0) / (one?.bins.reduce((a, b) => a + b, 0) ?? 1),
        )
        t.ok(Math.abs((ours ?? 0) - (theirs ?? 1)) < 1e-2, 'as many zeros')
        t.ok(count > 0)
      }
    },
  )
}

t.test('what the file leaves open is what samples have', async (t) => {
  const model = await opened({
    inputs: { x: ['N', 1, 'H', 'W'] },
    outputs: ['y'],
    constants: { w: [16, 1, 1, 1], v: [4, 16, 1, 1] },
    rows: [
      ['Conv', ['x', 'w'], ['a']],
      ['Relu', ['a'], ['b']],
      ['Conv', ['b', 'v'], ['y']],
    ],
  })
  const watched = t.capture(InferencePool.prototype, 'watch', InferencePool.prototype.watch)
  const { summarise: _, ...whole } = model
  const [ours, theirs] = [await statisticsOf(model), await statisticsOf(whole)]
  const extremes = (statistics: typeof ours) =>
    statistics.map(({ tensor, min, max }) => ({ tensor, min, max }))
  t.same(extremes(ours), extremes(theirs))
  const [summed] = watched()[0]?.args ?? []
  t.ok(
    summed?.observed.every(({ summary }) => summary),
    'the runtime sums up all that is large',
  )
})

t.test('channels along the last dimension are told apart, too', async (t) => {
  const model = smallOnnx({
    inputs: { x: [1, 1, SIDE, SIDE] },
    outputs: ['y'],
    constants: { w: new Float32Array(16).fill(1), shape: int64s(16, 1, 1, 1), m: [SIDE, 4] },
    rows: [
      ['Reshape', ['w', 'shape'], ['ones']],
      ['Conv', ['x', 'ones'], ['a']],
      ['Relu', ['a'], ['b']],
      ['MatMul', ['b', 'm'], ['y']],
    ],
  })
  const opened = await quantizableOnnx.open(writeOnnx(model), QUANTIZING)
  const statistics = await statisticsOf(
    opened,
    NOISE.map((value, i) => value / 4 + (i % SIDE)),
  )
  const means = statistics.find(({ channels }) => channels?.means.length === SIDE)?.channels?.means
  t.ok(means?.every((mean, column) => Math.abs(mean - Math.max(column, 0.125)) < 0.1))
})

t.test('numbers that are none are counted, though sums hide them', async (t) => {
  const statistics = await statisticsOf(await open(17, 8, ['Log', ['a'], ['b']]))
  t.ok(statistics.some(({ nan }) => nan > SAMPLES))
  t.ok(statistics.some(({ nan, count }) => nan === 0 && count > 0))
})

async function opened(small: SmallOnnx): Promise<QuantizableModel> {
  return quantizableOnnx.open(writeOnnx(smallOnnx(small)), QUANTIZING)
}

/** A single number that is none, at a place that no pick sees. */
const HIDDEN: Readonly<Record<string, SmallOnnx & { readonly data: Float32Array<ArrayBuffer> }>> = {
  'where it arises': {
    inputs: { x: [1, 1, SIDE, SIDE] },
    outputs: ['y'],
    constants: { w: [4, 8, 1, 1] },
    rows: [
      ['Concat', new Array(8).fill('x'), ['a'], { axis: ['int', 1] }],
      ['Sqrt', ['a'], ['b']],
      ['Conv', ['b', 'w'], ['y']],
    ],
    data: NOISE.map((value, i) => (i === 4 ? -1 : Math.abs(value))),
  },
  'behind a small activation': {
    inputs: { x: [1, 1, SIDE, SIDE] },
    outputs: ['y'],
    constants: { w: [16, 1, 1, 1], v: [4, 16, 1, 1] },
    rows: [
      ['Sqrt', ['x'], ['a']],
      ['Conv', ['a', 'w'], ['b']],
      ['Relu', ['b'], ['c']],
      ['Conv', ['c', 'v'], ['y']],
    ],
    data: NOISE.map((value, i) => (i === 4 ? -1 : Math.abs(value))),
  },
  'in a constant': {
    inputs: { x: [1, 1, SIDE, SIDE] },
    outputs: ['y'],
    constants: {
      w: [16, 1, 1, 1],
      c: Float32Array.from({ length: SIDE }, (_, i) => (i === 3 ? Number.NaN : 1)),
      v: [4, 16, 1, 1],
    },
    rows: [
      ['Conv', ['x', 'w'], ['a']],
      ['Add', ['a', 'c'], ['b']],
      ['Relu', ['b'], ['d']],
      ['Conv', ['d', 'v'], ['y'], { strides: ['ints', [2, 2]] }],
    ],
    data: NOISE,
  },
}

for (const [where, { data, ...small }] of Object.entries(HIDDEN)) {
  t.test(`a single one is, where no sample shows it: ${where}`, async (t) => {
    const model = await opened(small)
    const { summarise: _, ...whole } = model
    const summed = await statisticsOf(model, data)
    const seen = await statisticsOf(whole, data)
    t.ok(summed.some(({ nan }) => nan > 0))
    t.same(
      summed.map(({ nan, min, max }) => ({ nan, min, max })),
      seen.map(({ nan, min, max }) => ({ nan, min, max })),
    )
  })
}

t.test('picks see all positions of what was enlarged', async (t) => {
  // Each of the 4 × 4 positions that DepthToSpace puts side by side has a mean of its own.
  const model = await opened({
    inputs: { x: [1, 1, 32, 32] },
    outputs: ['y'],
    constants: {
      w: new Float32Array(256).fill(1),
      shape: int64s(256, 1, 1, 1),
      c: Float32Array.from({ length: 256 }, (_, i) => Math.floor(i / 16)),
      v: [4, 16, 1, 1],
    },
    rows: [
      ['Reshape', ['w', 'shape'], ['ones']],
      ['Conv', ['x', 'ones', 'c'], ['a']],
      ['DepthToSpace', ['a'], ['b'], { blocksize: ['int', 4] }],
      ['Relu', ['b'], ['d']],
      ['Conv', ['d', 'v'], ['y']],
    ],
  })
  for (const samples of [5, 7, 17, 25]) {
    const statistics = await statisticsOf(model, NOISE.slice(0, samples * 32 ** 2), 32)
    const means = statistics.find(({ channels }) => channels?.means.length === 16)?.channels?.means
    t.ok(means?.every((mean) => Math.abs(mean - 7.5) < 0.5))
  }
})
