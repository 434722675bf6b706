import t from 'tap'
import { checkOnnx, readOnnx, writeOnnx } from '../../../../../planner/formats/onnx/index.ts'
import type { OperatorKind } from '../../../../../planner/graph/operator-kinds.ts'
import { ONNXRUNTIME_KERNELS } from '../../../../../planner/targets/kernels/onnxruntime.ts'
import { heldByThisHost } from '../../../../host-processor.ts'
import { fusedOperators } from '../fused-operators.ts'
import { noiseFor, quantizeOnnx, sqnrOf } from '../quantized.ts'
import { int64s, type Row, type SmallOnnx, smallOnnx } from '../small-onnx.ts'

/** An operator between two convolutions: a → b. */
interface Case {
  readonly kind: OperatorKind
  readonly rows: readonly Row[]
  readonly constants?: SmallOnnx['constants']
}

const back: Row = ['Reshape', ['m', 'image'], ['b']]
const image = { image: int64s(1, 8, 6, 6) }

const CASES: readonly Case[] = [
  { kind: 'conv', rows: [['Conv', ['a', 'k'], ['b']]], constants: { k: [8, 8, 3, 3] } },
  {
    kind: 'conv',
    rows: [
      ['Conv', ['a', 'k'], ['m']],
      ['Relu', ['m'], ['b']],
    ],
    constants: { k: [8, 8, 3, 3] },
  },
  {
    kind: 'depthwise-conv',
    rows: [
      ['Conv', ['a', 'k'], ['m'], { group: ['int', 8] }],
      ['Clip', ['m', 'low', 'high'], ['b']],
    ],
    constants: { k: [8, 1, 3, 3], low: Float32Array.of(0), high: Float32Array.of(6) },
  },
  {
    kind: 'fully-connected',
    rows: [
      ['Flatten', ['a'], ['f']],
      ['Gemm', ['f', 'k', 'c'], ['m'], { transB: ['int', 1] }],
      back,
    ],
    constants: { k: [288, 288], c: [288], ...image },
  },
  {
    kind: 'fully-connected',
    rows: [['MatMul', ['a', 'k'], ['b']]],
    constants: { k: [6, 6] },
  },
  {
    kind: 'batch-matmul',
    rows: [
      ['Transpose', ['a'], ['turned'], { perm: ['ints', [0, 1, 3, 2]] }],
      ['MatMul', ['a', 'turned'], ['b']],
    ],
  },
  { kind: 'add', rows: [['Add', ['a', 'a2'], ['b']]] },
  {
    kind: 'add',
    rows: [
      ['Add', ['a', 'a2'], ['m']],
      ['Relu', ['m'], ['b']],
    ],
  },
  { kind: 'mul', rows: [['Mul', ['a', 'a2'], ['b']]] },
  {
    kind: 'concatenation',
    rows: [
      ['Concat', ['a', 'a2'], ['m'], { axis: ['int', 1] }],
      ['Conv', ['m', 'k'], ['b']],
    ],
    constants: { k: [8, 16, 1, 1] },
  },
  {
    kind: 'concatenation',
    rows: [
      ['Concat', ['a', 'a2'], ['m'], { axis: ['int', 1] }],
      ['Relu', ['m'], ['r']],
      ['Conv', ['r', 'k'], ['b']],
    ],
    constants: { k: [8, 16, 1, 1] },
  },
  {
    kind: 'average-pool',
    rows: [['AveragePool', ['a'], ['b'], { kernel_shape: ['ints', [2, 2]] }]],
  },
  { kind: 'average-pool', rows: [['GlobalAveragePool', ['a'], ['b']]] },
  { kind: 'leaky-relu', rows: [['LeakyRelu', ['a'], ['b'], { alpha: ['float', 0.2] }]] },
  { kind: 'softmax', rows: [['Softmax', ['a'], ['b'], { axis: ['int', -1] }]] },
  { kind: 'logistic', rows: [['Sigmoid', ['a'], ['b']]] },
  { kind: 'max-pool', rows: [['MaxPool', ['a'], ['b'], { kernel_shape: ['ints', [2, 2]] }]] },
  {
    kind: 'resize-nearest',
    rows: [['Resize', ['a', '', 'scales'], ['b'], { mode: ['string', 'nearest'] }]],
    constants: { scales: Float32Array.of(1, 1, 2, 2) },
  },
  { kind: 'transpose', rows: [['Transpose', ['a'], ['b'], { perm: ['ints', [0, 1, 3, 2]] }]] },
  {
    kind: 'reshape',
    rows: [['Reshape', ['a', 'image'], ['b']]],
    constants: { image: int64s(1, 8, 4, 9) },
  },
  {
    kind: 'squeeze',
    rows: [
      ['Squeeze', ['a', 'axes'], ['m']],
      ['Unsqueeze', ['m', 'axes'], ['b']],
    ],
    constants: { axes: int64s(0) },
  },
  {
    kind: 'expand-dims',
    rows: [
      ['Unsqueeze', ['a', 'axes'], ['m']],
      ['Squeeze', ['m', 'axes'], ['b']],
    ],
    constants: { axes: int64s(4) },
  },
  {
    kind: 'slice',
    rows: [['Slice', ['a', 'from', 'to', 'axes'], ['b']]],
    constants: { from: int64s(1), to: int64s(5), axes: int64s(2) },
  },
  {
    kind: 'gather',
    rows: [['Gather', ['a', 'at'], ['b'], { axis: ['int', 2] }]],
    constants: { at: int64s(4, 0, 1) },
  },
  {
    kind: 'split',
    rows: [
      ['Split', ['a', 'parts'], ['p', 'q'], { axis: ['int', 1] }],
      ['Concat', ['q', 'p'], ['b'], { axis: ['int', 1] }],
    ],
    constants: { parts: int64s(3, 5) },
  },
  {
    kind: 'tile',
    rows: [['Tile', ['a', 'times'], ['b']]],
    constants: { times: int64s(1, 1, 2, 1) },
  },
  {
    kind: 'broadcast-to',
    rows: [
      ['GlobalAveragePool', ['a'], ['m']],
      ['Expand', ['m', 'image'], ['b']],
    ],
    constants: image,
  },
  {
    kind: 'reduce-max',
    rows: [['ReduceMax', ['a'], ['b'], { axes: ['ints', [2]] }]],
  },
  {
    kind: 'reduce-min',
    rows: [['ReduceMin', ['a'], ['b'], { axes: ['ints', [2]] }]],
  },
]

function modelOf({ rows, constants }: Case): SmallOnnx {
  const reads = (name: string) => rows.some(([, inputs]) => inputs.includes(name))
  return {
    opset: 13,
    inputs: { x: [1, 4, 6, 6] },
    outputs: ['y'],
    constants: { v: [8, 4, 1, 1], v2: [8, 4, 1, 1], w: [4, 8, 1, 1], bias: [4], ...constants },
    rows: [
      ['Conv', ['x', 'v'], ['a']],
      ...(reads('a2') ? ([['Conv', ['x', 'v2'], ['a2']]] as const) : []),
      ...rows,
      ['Conv', ['b', 'w', 'bias'], ['y']],
    ],
  }
}

t.test('every operator that is said to have an integer kernel has a case', async (t) => {
  const covered = new Set(CASES.map(({ kind }) => kind))
  const kinds = Object.keys(ONNXRUNTIME_KERNELS) as OperatorKind[]
  t.same(
    kinds.filter((kind) => ONNXRUNTIME_KERNELS[kind].integer !== null && !covered.has(kind)),
    [],
  )
})

for (const [i, one] of CASES.entries()) {
  t.test(`${i} ${one.kind}: ${one.rows.map(([type]) => type).join(', ')}`, async (t) => {
    const model = smallOnnx(modelOf(one))
    const data = noiseFor({ x: [1, 4, 6, 6] })
    const { bytes, findings } = await quantizeOnnx(model, heldByThisHost('static-w8a8-u8s8'), data)
    // Noise reaches the largest codes everywhere, and its sums go so far that the last product may be left in float: the
    // case is what stands between.
    const aside = ['int16-saturation', 'larger-than-source']
    t.same(
      findings.filter(
        ({ code, where }) =>
          !aside.includes(code) && !(code === 'operator-left-float' && where === 'y'),
      ),
      [],
    )
    t.same(checkOnnx(readOnnx(bytes)), [])
    const fused = await fusedOperators(t, bytes)
    t.equal(fused.conversions, 2, `only at the model's ends: ${JSON.stringify(fused)}`)
    const decibels = await sqnrOf(writeOnnx(model), bytes, data)
    t.ok(decibels > 22, `${decibels.toFixed(1)} dB`)
  })
}
