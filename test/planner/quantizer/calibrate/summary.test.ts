import t from 'tap'
import { writeOnnx } from '../../../../planner/formats/onnx/codec.ts'
import { quantizableOnnx } from '../../../../planner/formats/onnx/quantizable.ts'
import type { QuantizableModel } from '../../../../planner/formats/quantizable.ts'
import { calibrate } from '../../../../planner/quantizer/calibrate/calibrate.ts'
import { Laboratory } from '../../../../planner/quantizer/laboratory/laboratory.ts'
import { toDataset } from '../../../../shared/dataset/index.ts'
import { randomFrom } from '../../formats/onnx/import/one-operator.ts'
import { int64s, numbers, type Row, smallOnnx } from '../../formats/onnx/small-onnx.ts'

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

async function statisticsOf(model: QuantizableModel, data = NOISE) {
  const laboratory = new Laboratory('onnxruntime')
  const shape = [SAMPLES, 1, SIDE, SIDE]
  const dataset = toDataset(new Map([['x', { type: 'float32', shape, data }]]), 'pixels')
  try {
    return (await calibrate(model, laboratory, dataset, () => {})).statistics
  } finally {
    await laboratory.close()
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

t.test('a single one is, where no sample shows it', async (t) => {
  const data = NOISE.map(Math.abs)
  data[4] = -1
  const model = smallOnnx({
    inputs: { x: [1, 1, SIDE, SIDE] },
    outputs: ['y'],
    constants: { w: [4, 8, 1, 1] },
    rows: [
      ['Concat', new Array(8).fill('x'), ['a'], { axis: ['int', 1] }],
      ['Sqrt', ['a'], ['b']],
      ['Conv', ['b', 'w'], ['y']],
    ],
  })
  const opened = await quantizableOnnx.open(writeOnnx(model), QUANTIZING)
  const statistics = await statisticsOf(opened, data)
  t.same(
    statistics.map(({ nan }) => nan),
    [0, 0, 8, 4],
  )
})
