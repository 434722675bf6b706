import t from 'tap'
import { writeOnnx } from '../../../../planner/formats/onnx/codec.ts'
import { quantizableOnnx } from '../../../../planner/formats/onnx/quantizable.ts'
import type { QuantizableModel } from '../../../../planner/formats/quantizable.ts'
import { calibrate } from '../../../../planner/quantizer/calibrate/calibrate.ts'
import { Laboratory } from '../../../../planner/quantizer/laboratory/laboratory.ts'
import { toDataset } from '../../../../shared/dataset/index.ts'
import { randomFrom } from '../../formats/onnx/import/one-operator.ts'
import { numbers, type Row, smallOnnx } from '../../formats/onnx/small-onnx.ts'

const SAMPLES = 25
const SIDE = 128

/** Large enough that observers would take every third number only. */
async function open(opset: number, ...rows: Row[]): Promise<QuantizableModel> {
  const model = smallOnnx({
    opset,
    inputs: { x: [1, 1, SIDE, SIDE] },
    outputs: ['y'],
    constants: { w: [8, 1, 1, 1], v: [4, 8, 1, 1], low: numbers(-9), high: numbers(9) },
    rows: [['Conv', ['x', 'w'], ['a']], ...rows, ['Conv', ['b', 'v'], ['y']]],
  })
  return quantizableOnnx.open(writeOnnx(model), { sources: 'keep', forIntegers: true })
}

function noise() {
  const random = randomFrom(5)
  const shape = [SAMPLES, 1, SIDE, SIDE]
  const data = Float32Array.from({ length: SAMPLES * SIDE * SIDE }, () => random() * 4 - 2)
  return toDataset(new Map([['x', { type: 'float32', shape, data }]]), 'noise')
}

async function statisticsOf(model: QuantizableModel) {
  const laboratory = new Laboratory('onnxruntime')
  try {
    return (await calibrate(model, laboratory, noise(), () => {})).statistics
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

for (const [opset, [what, rows]] of [13, 18].flatMap((opset) =>
  Object.entries(BETWEEN).map((entry) => [opset, entry] as const),
)) {
  t.test(
    `what the runtime sums up is what an observer sees: ${what}, opset ${opset}`,
    async (t) => {
      const model = await open(opset, ...rows)
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

t.test('numbers that are none are counted, though sums hide them', async (t) => {
  const statistics = await statisticsOf(await open(17, ['Log', ['a'], ['b']]))
  t.ok(statistics.some(({ nan }) => nan > SAMPLES))
  t.ok(statistics.some(({ nan, count }) => nan === 0 && count > 0))
})
