import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { checkOnnx } from '../../../../../planner/formats/onnx/check.ts'
import { readOnnx, writeOnnx } from '../../../../../planner/formats/onnx/codec.ts'
import type { OnnxModel } from '../../../../../planner/formats/onnx/model.ts'
import { prepareModel } from '../../../../../planner/formats/onnx/prepare/prepare.ts'
import { INTEGER_RULES, RULES } from '../../../../../planner/formats/onnx/prepare/rules.ts'
import { newTensor } from '../../../../../planner/formats/onnx/tensor-data.ts'
import type { Tensor } from '../../../../../shared/tensors.ts'
import { sharedData, WITHOUT_SHARED_DATA } from '../../../../shared-data.ts'
import { relativeError } from '../import/relative-error.ts'
import { runOnnx } from '../run-onnx.ts'
import { int64s, numbers, type SmallOnnx, smallOnnx, typedTensor } from '../small-onnx.ts'

interface Case extends SmallOnnx {
  readonly title: string
  /** The rule that must apply; 'constants' for folding; null where none may. */
  readonly rule: string | null
  /** Operators that are left. */
  readonly left: readonly string[]
}

const image = { x: [1, 4, 6, 6] }
const normalization = { gamma: [5], beta: [5], mean: [5], variance: numbers(1, 2, 0.5, 3, 0.1) }

const three = newTensor('', 'float32', [1], Float32Array.of(3))

const CASES: readonly Case[] = [
  {
    title: 'a shuffle of channels moves whole images',
    rule: 'channel-shuffle',
    inputs: { x: [1, 6, 4, 5] },
    outputs: ['y'],
    constants: { apart: int64s(1, 3, 2, 4, 5), together: int64s(1, 6, 4, 5) },
    rows: [
      ['Reshape', ['x', 'apart'], ['a']],
      ['Transpose', ['a'], ['b'], { perm: ['ints', [0, 2, 1, 3, 4]] }],
      ['Reshape', ['b', 'together'], ['c']],
      ['Relu', ['c'], ['y']],
    ],
    left: ['Gather', 'Relu'],
  },
  {
    title: 'a transposition that is no shuffle stays',
    rule: null,
    inputs: { x: [1, 6, 4, 5] },
    outputs: ['y'],
    constants: { apart: int64s(1, 3, 2, 4, 5), together: int64s(1, 6, 4, 5) },
    rows: [
      ['Reshape', ['x', 'apart'], ['a']],
      ['Transpose', ['a'], ['b'], { perm: ['ints', [0, 1, 2, 4, 3]] }],
      ['Reshape', ['b', 'together'], ['c']],
      ['Relu', ['c'], ['y']],
    ],
    left: ['Reshape', 'Transpose', 'Reshape', 'Relu'],
  },
  {
    title: 'a Constant that holds numbers, instead of raw bytes',
    rule: 'constants',
    inputs: { x: [1, 4] },
    outputs: ['y'],
    rows: [
      ['Constant', [], ['c'], { value: ['tensor', typedTensor(1, 2, 3, 4)] }],
      ['Add', ['x', 'c'], ['a']],
      ['Relu', ['a'], ['y']],
    ],
    left: ['Add', 'Relu'],
  },
  {
    title: 'Identity and Dropout inside go',
    rule: 'identity',
    inputs: image,
    outputs: ['y'],
    rows: [
      ['Relu', ['x'], ['a']],
      ['Identity', ['a'], ['b']],
      ['Dropout', ['b'], ['c', 'mask']],
      ['Sqrt', ['c'], ['y']],
    ],
    left: ['Relu', 'Sqrt'],
  },
  {
    title: 'Identity at an output hands its name to the maker',
    rule: 'identity',
    inputs: image,
    outputs: ['y', 'z'],
    rows: [
      ['Relu', ['x'], ['a']],
      ['Identity', ['a'], ['y']],
      ['Sqrt', ['a'], ['z']],
    ],
    left: ['Relu', 'Sqrt'],
  },
  {
    title: 'Identity between input and output stays',
    rule: null,
    inputs: image,
    outputs: ['y'],
    rows: [['Identity', ['x'], ['y']]],
    left: ['Identity'],
  },
  {
    title: 'Conv takes BatchNormalization in',
    rule: 'fold-affine',
    inputs: image,
    outputs: ['y'],
    constants: { w: [5, 4, 3, 3], ...normalization },
    rows: [
      ['Conv', ['x', 'w'], ['a']],
      ['BatchNormalization', ['a', 'gamma', 'beta', 'mean', 'variance'], ['y']],
    ],
    left: ['Conv'],
  },
  {
    title: 'grouped Conv with bias takes all that follows in',
    rule: 'fold-affine',
    inputs: image,
    outputs: ['y'],
    constants: { w: [6, 2, 3, 3], b: [6], c: [1, 6, 1, 1], d: [6, 1, 1], e: numbers(0.5) },
    rows: [
      ['Conv', ['x', 'w', 'b'], ['a'], { group: ['int', 2] }],
      ['Add', ['c', 'a'], ['s']],
      ['Mul', ['s', 'd'], ['m']],
      ['Sub', ['m', 'e'], ['y']],
    ],
    left: ['Conv'],
  },
  {
    title: 'grouped ConvTranspose takes BatchNormalization in',
    rule: 'fold-affine',
    inputs: image,
    outputs: ['y'],
    constants: {
      w: [4, 3, 2, 2],
      gamma: [6],
      beta: [6],
      mean: [6],
      variance: numbers(1, 2, 3, 4, 5, 6),
    },
    rows: [
      ['ConvTranspose', ['x', 'w'], ['a'], { group: ['int', 2] }],
      ['BatchNormalization', ['a', 'gamma', 'beta', 'mean', 'variance'], ['y']],
    ],
    left: ['ConvTranspose'],
  },
  {
    title: 'Gemm takes BatchNormalization in, either way round',
    rule: 'fold-affine',
    inputs: { x: [2, 4] },
    outputs: ['y', 'z'],
    constants: { w: [5, 4], v: [4, 5], ...normalization },
    rows: [
      ['Gemm', ['x', 'w'], ['a'], { transB: ['int', 1] }],
      ['BatchNormalization', ['a', 'gamma', 'beta', 'mean', 'variance'], ['y']],
      ['Gemm', ['x', 'v'], ['b']],
      ['Mul', ['b', 'gamma'], ['z']],
    ],
    left: ['Gemm', 'Gemm'],
  },
  {
    title: 'what varies along the image stays outside',
    rule: null,
    inputs: image,
    outputs: ['y'],
    constants: { w: [5, 4, 3, 3], c: [4] },
    rows: [
      ['Conv', ['x', 'w'], ['a']],
      ['Add', ['a', 'c'], ['y']],
    ],
    left: ['Conv', 'Add'],
  },
  {
    title: 'a result that others read stays as it is',
    rule: null,
    inputs: image,
    outputs: ['y', 'a'],
    constants: { w: [5, 4, 3, 3], c: [5, 1, 1] },
    rows: [
      ['Conv', ['x', 'w'], ['a']],
      ['Add', ['a', 'c'], ['y']],
    ],
    left: ['Conv', 'Add'],
  },
  {
    title: 'a sum of two is an addition',
    rule: 'sum-of-two',
    inputs: image,
    outputs: ['y'],
    constants: { c: [6] },
    rows: [['Sum', ['x', 'c'], ['y']]],
    left: ['Add'],
  },
  {
    title: 'MatMul and Add become Gemm',
    rule: 'matmul-add',
    inputs: { x: ['batch', 4] },
    outputs: ['y'],
    constants: { w: [4, 3], b: [1, 3] },
    rows: [
      ['MatMul', ['x', 'w'], ['a']],
      ['Add', ['a', 'b'], ['y']],
    ],
    left: ['Gemm'],
  },
  {
    title: 'MatMul of higher rank stays',
    rule: null,
    inputs: { x: [2, 2, 4] },
    outputs: ['y'],
    constants: { w: [4, 3], b: [3] },
    rows: [
      ['MatMul', ['x', 'w'], ['a']],
      ['Add', ['a', 'b'], ['y']],
    ],
    left: ['MatMul', 'Add'],
  },
  {
    title: 'mean over the image, kept',
    rule: 'mean-of-pixels',
    inputs: image,
    outputs: ['y'],
    rows: [['ReduceMean', ['x'], ['y'], { axes: ['ints', [-1, 2]] }]],
    left: ['GlobalAveragePool'],
  },
  {
    title: 'mean over the image, dropped, axes as an input',
    rule: 'mean-of-pixels',
    opset: 18,
    inputs: image,
    outputs: ['y'],
    constants: { axes: int64s(2, 3) },
    rows: [['ReduceMean', ['x', 'axes'], ['y'], { keepdims: ['int', 0] }]],
    left: ['GlobalAveragePool', 'Flatten'],
  },
  {
    title: 'subtraction of a constant',
    rule: 'subtract-constant',
    inputs: image,
    outputs: ['y'],
    constants: { c: [6] },
    rows: [['Sub', ['x', 'c'], ['y']]],
    left: ['Add'],
  },
  {
    title: 'Conv takes the padding in',
    rule: 'pad-conv',
    inputs: image,
    outputs: ['y'],
    constants: { w: [5, 4, 3, 3], pads: int64s(0, 0, 1, 2, 0, 0, 0, 1) },
    rows: [
      ['Pad', ['x', 'pads'], ['a']],
      ['Conv', ['a', 'w'], ['y'], { pads: ['ints', [1, 1, 1, 1]] }],
    ],
    left: ['Conv'],
  },
  {
    title: 'constants that are one number over and over are computed',
    rule: 'constants',
    inputs: image,
    outputs: ['y'],
    constants: { shape: int64s(4, 1, 1), none: int64s() },
    rows: [
      ['ConstantOfShape', ['shape'], ['threes'], { value: ['tensor', three] }],
      ['ConstantOfShape', ['shape'], ['zeros']],
      ['ConstantOfShape', ['none'], ['three'], { value: ['tensor', three] }],
      ['Mul', ['x', 'threes'], ['a']],
      ['Add', ['a', 'zeros'], ['b']],
      ['Div', ['b', 'three'], ['y']],
    ],
    left: ['Mul', 'Add', 'Div'],
  },
  {
    title: 'constants are computed',
    rule: 'constants',
    inputs: image,
    outputs: ['y'],
    constants: { w: [4, 1, 1], shape: int64s(2) },
    rows: [
      ['Constant', [], ['two'], { value_float: ['float', 2] }],
      ['ConstantOfShape', ['shape'], ['zeros']],
      ['Mul', ['w', 'two'], ['w2']],
      ['ReduceSum', ['zeros'], ['none']],
      ['Add', ['w2', 'none'], ['w3']],
      ['Add', ['x', 'w3'], ['y']],
    ],
    left: ['Add'],
  },
]

const copyOf = (model: OnnxModel) => readOnnx(writeOnnx(model))

t.test('every rule has a case', async (t) => {
  const covered = new Set(CASES.map(({ rule }) => rule))
  t.same(
    [...RULES, ...INTEGER_RULES].filter(({ name }) => !covered.has(name)),
    [],
  )
})

for (const one of CASES) {
  t.test(one.title, async (t) => {
    const before = smallOnnx(one)
    const after = copyOf(before)
    const { applied } = await prepareModel(after, { forIntegers: true, expandStored: true })
    if (one.rule === null) t.equal(applied.size, 0)
    else t.ok(applied.has(one.rule), `${one.rule} among ${[...applied.keys()]}`)
    t.same(
      after.graph?.node.map(({ opType }) => opType),
      one.left,
    )
    t.same(checkOnnx(after), [])
    const expected = await runOnnx(before)
    const actual = await runOnnx(after)
    for (const [name, { data, shape }] of Object.entries(expected)) {
      t.ok(relativeError(actual[name] as Tensor, data, shape) <= 1e-5, name)
    }
  })
}

t.test('real models, of opset 9 and on, keep their outputs', async (t) => {
  const root = sharedData()
  if (root === undefined) return void t.pass(WITHOUT_SHARED_DATA, { skip: true })
  for (const name of readdirSync(join(root, 'onnx'))) {
    const before = readOnnx(readFileSync(join(root, 'onnx', name)), name)
    const after = copyOf(before)
    const { applied } = await prepareModel(after, { forIntegers: true, expandStored: true })
    t.same(checkOnnx(after), [])
    const expected = await runOnnx(before)
    const actual = await runOnnx(after)
    const errors = Object.entries(expected).map(([output, { data, shape }]) =>
      relativeError(actual[output] as Tensor, data, shape),
    )
    t.ok(
      Math.max(...errors) <= 1e-4,
      `${name}: ${Math.max(...errors).toExponential(1)} after ${[...applied].join(' ')}`,
    )
  }
})
