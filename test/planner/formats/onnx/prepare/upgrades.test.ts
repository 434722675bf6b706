import t from 'tap'
import { readOnnx, writeOnnx } from '../../../../../planner/formats/onnx/codec.ts'
import { opsetOf } from '../../../../../planner/formats/onnx/opset.ts'
import { upgradeOpset } from '../../../../../planner/formats/onnx/prepare/upgrade-opset.ts'
import { UPGRADES } from '../../../../../planner/formats/onnx/prepare/upgrades.ts'
import { inferValues } from '../../../../../planner/formats/onnx/shapes/infer.ts'
import type { Tensor } from '../../../../../shared/tensors.ts'
import { relativeError } from '../import/relative-error.ts'
import { runOnnx } from '../run-onnx.ts'
import { int64s, numbers, type Row, type SmallOnnx, smallOnnx } from '../small-onnx.ts'

const x = { x: [2, 4, 6, 6] }
const one = (opset: number, row: Row, constants: SmallOnnx['constants'] = {}): SmallOnnx => ({
  opset,
  inputs: x,
  outputs: row[2],
  constants,
  rows: [row],
})

/** One node of an older opset each, in every form that a row knows. */
const CASES: readonly SmallOnnx[] = [
  one(7, ['BatchNormalization', ['x', 'g', 'b', 'm', 'v'], ['y'], { spatial: ['int', 1] }], {
    g: [4],
    b: [4],
    m: [4],
    v: numbers(1, 2, 3, 4),
  }),
  one(7, ['Dropout', ['x'], ['y'], { ratio: ['float', 0.3] }]),
  one(7, ['Clip', ['x'], ['y'], { min: ['float', -0.5], max: ['float', 1] }]),
  one(7, ['Clip', ['x'], ['y'], { max: ['float', 1] }]),
  one(7, ['Clip', ['x'], ['y']]),
  one(9, ['Pad', ['x'], ['y'], { pads: ['ints', [0, 0, 1, 1, 0, 0, 2, 0]], value: ['float', 3] }]),
  one(9, [
    'Pad',
    ['x'],
    ['y'],
    { pads: ['ints', [0, 0, 1, 1, 0, 0, 2, 0]], mode: ['string', 'reflect'] },
  ]),
  one(9, [
    'Slice',
    ['x'],
    ['y'],
    { starts: ['ints', [1, 0]], ends: ['ints', [3, 2n ** 63n - 1n]], axes: ['ints', [1, 3]] },
  ]),
  one(9, ['Slice', ['x'], ['y'], { starts: ['ints', [0, 1]], ends: ['ints', [1, 3]] }]),
  one(9, ['TopK', ['x'], ['y', 'i'], { k: ['int', 3], axis: ['int', 3] }]),
  one(7, ['Upsample', ['x'], ['y'], { scales: ['floats', [1, 1, 2, 3]] }]),
  one(7, [
    'Upsample',
    ['x'],
    ['y'],
    { scales: ['floats', [1, 1, 2, 2]], mode: ['string', 'linear'] },
  ]),
  one(9, ['Upsample', ['x', 's'], ['y']], { s: numbers(1, 1, 2, 2) }),
  one(10, ['Resize', ['x', 's'], ['y']], { s: numbers(1, 1, 0.5, 2) }),
  one(10, ['Resize', ['x', 's'], ['y'], { mode: ['string', 'linear'] }], {
    s: numbers(1, 1, 2, 2),
  }),
  one(11, ['Unsqueeze', ['x'], ['y'], { axes: ['ints', [1]] }]),
  one(11, ['ReduceSum', ['x'], ['y'], { axes: ['ints', [1, 2]], keepdims: ['int', 0] }]),
  one(11, ['ReduceSum', ['x'], ['y']]),
  one(11, ['Split', ['x'], ['y', 'z'], { split: ['ints', [1, 3]], axis: ['int', 1] }]),
  one(11, ['Split', ['x'], ['y', 'z'], { axis: ['int', 1] }]),
  ...['Softmax', 'LogSoftmax', 'Hardmax'].flatMap((kind) => [
    one(11, [kind, ['x'], ['y']]),
    one(11, [kind, ['x'], ['y'], { axis: ['int', 3] }]),
    one(11, [kind, ['x'], ['y'], { axis: ['int', -2] }]),
  ]),
  {
    ...one(11, ['Squeeze', ['p'], ['y'], { axes: ['ints', [2, 3]] }]),
    rows: [
      ['GlobalAveragePool', ['x'], ['p']],
      ['Squeeze', ['p'], ['y'], { axes: ['ints', [2, 3]] }],
    ],
  },
  {
    ...one(9, ['Scatter', ['x', 'i', 'u'], ['y'], { axis: ['int', 1] }]),
    inputs: { x: [3] },
    constants: { i: int64s(2, 0), u: [2] },
    rows: [['Scatter', ['x', 'i', 'u'], ['y'], { axis: ['int', 0] }]],
  },
]

const titleOf = ({ opset, rows }: SmallOnnx) =>
  `${rows.map(([type]) => type).join(', ')} of opset ${opset}`

t.test('every row has a case', async (t) => {
  const covered = new Set(CASES.flatMap(({ rows }) => rows.map(([type]) => type)))
  t.same(
    UPGRADES.filter(({ opType }) => !covered.has(opType)),
    [],
  )
})

for (const model of CASES) {
  t.test(titleOf(model), async (t) => {
    const before = smallOnnx(model)
    const after = readOnnx(writeOnnx(before))
    upgradeOpset(after, await inferValues(after))
    t.equal(opsetOf(after), 13)
    const expected = await runOnnx(before)
    const actual = await runOnnx(after)
    for (const [name, { data, shape }] of Object.entries(expected)) {
      t.ok(relativeError(actual[name] as Tensor, data, shape) <= 1e-6, name)
    }
  })
}

t.test('a softmax of unknown rank is flattened as it always was', async (t) => {
  for (const axis of [1, 3, -1, -2]) {
    const before = smallOnnx(one(11, ['Softmax', ['x'], ['y'], { axis: ['int', axis] }]))
    const after = readOnnx(writeOnnx(before))
    upgradeOpset(after, new Map())
    const { y: expected } = await runOnnx(before)
    const { y: actual } = await runOnnx(after)
    const { data, shape } = expected as Tensor
    t.ok(relativeError(actual as Tensor, data, shape) <= 1e-6, `axis ${axis}`)
  }
})

t.test('what has no equal is refused in one line', async (t) => {
  const statistics = { g: [4], b: [4], m: [4], v: [4] }
  const row: Row = ['BatchNormalization', ['x', 'g', 'b', 'm', 'v'], ['y'], { spatial: ['int', 0] }]
  t.throws(() => upgradeOpset(smallOnnx(one(7, row, statistics)), new Map()), {
    code: 'unsupported-opset',
    message: /BatchNormalization.*export it again/,
  })
  t.throws(() => upgradeOpset(smallOnnx(one(6, ['Relu', ['x'], ['y']])), new Map()), {
    code: 'unsupported-opset',
    message: /older than 7/,
  })
})
