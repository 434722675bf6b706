import type { OnnxModel } from '../../../../../planner/formats/onnx/model.ts'
import { typedValue } from '../../../../../planner/formats/tflite/import/source/nested-graphs.ts'
import { int64s, type SmallOnnx, smallOnnx } from '../../onnx/small-onnx.ts'
import { Maker, product, type Step } from './random-maker.ts'
import { MORE_STEPS } from './random-steps.ts'

const UNARY = [
  'Relu',
  'Sigmoid',
  'Tanh',
  'Abs',
  'Neg',
  'Softplus',
  'HardSwish',
  'Elu',
  'Floor',
  'Sin',
  'Erf',
  'LeakyRelu',
]
const BINARY = ['Add', 'Sub', 'Mul', 'Max', 'Min']

const unary: Step = (from, make) => make.node(make.pick(UNARY), [from.name], from.shape)
const binary: Step = (from, make) =>
  make.node(make.pick(BINARY), [from.name, make.twin(from).name], from.shape)
const scaled: Step = (from, make) => {
  const axis = make.below(from.shape.length)
  const shape = from.shape.slice(axis).map((size, i) => (i === 0 || make.below(2) === 0 ? size : 1))
  return make.node(make.pick(BINARY), [from.name, make.constant(shape)], from.shape)
}

const conv: Step = (from, make) => {
  const [batch = 1, channels = 1, ...spatial] = from.shape
  if (from.shape.length < 3 || from.shape.length > 4 || spatial.some((size) => size < 3))
    return null
  const group = make.pick([1, 1, channels])
  const filters = group === 1 ? make.pick([2, 3, 4]) : channels * make.pick([1, 2])
  const pads = spatial.map(() => make.below(2))
  const strides = spatial.map(() => make.pick([1, 1, 2]))
  const kernel = spatial.map(() => make.pick([1, 2, 3]))
  const sizes = spatial.map(
    (size, i) =>
      Math.floor(
        (size + 2 * (pads[i] as number) - (kernel[i] as number)) / (strides[i] as number),
      ) + 1,
  )
  const weight = make.constant([filters, channels / group, ...kernel])
  return make.node(
    'Conv',
    [from.name, weight, make.constant([filters])],
    [batch, filters, ...sizes],
    {
      group: ['int', group],
      pads: ['ints', [...pads, ...pads]],
      strides: ['ints', strides],
    },
  )
}

const pool: Step = (from, make) => {
  const [batch = 1, channels = 1, ...spatial] = from.shape
  if (from.shape.length !== 4 || spatial.some((size) => size < 3)) return null
  const pads = spatial.map(() => make.below(2))
  const strides = spatial.map(() => make.pick([1, 2]))
  const sizes = spatial.map(
    (size, i) => Math.floor((size + 2 * (pads[i] as number) - 3) / (strides[i] as number)) + 1,
  )
  return make.node(
    make.pick(['MaxPool', 'AveragePool']),
    [from.name],
    [batch, channels, ...sizes],
    {
      kernel_shape: ['ints', spatial.map(() => 3)],
      pads: ['ints', [...pads, ...pads]],
      strides: ['ints', strides],
    },
  )
}

const transpose: Step = (from, make) => {
  const order = from.shape.map((_, axis) => axis)
  for (let i = order.length - 1; i > 0; i -= 1) {
    const j = make.below(i + 1)
    ;[order[i], order[j]] = [order[j] as number, order[i] as number]
  }
  return make.node(
    'Transpose',
    [from.name],
    order.map((axis) => from.shape[axis] as number),
    { perm: ['ints', order] },
  )
}

const reshape: Step = (from, make) => {
  const at = make.below(from.shape.length)
  const joined = [
    ...from.shape.slice(0, at),
    product(from.shape.slice(at, at + 2)),
    ...from.shape.slice(at + 2),
  ]
  const shape = make.pick([joined, [...from.shape, 1], [1, ...from.shape], [product(from.shape)]])
  return shape.length > 5
    ? null
    : make.node('Reshape', [from.name, make.constant(int64s(...shape))], shape)
}

const concat: Step = (from, make) => {
  const axis = make.below(from.shape.length)
  const other = make.twin(from)
  const shape = from.shape.with(axis, 2 * (from.shape[axis] as number))
  return product(shape) > 4096
    ? null
    : make.node('Concat', [from.name, other.name], shape, { axis: ['int', axis] })
}

const slice: Step = (from, make) => {
  const axis = make.below(from.shape.length)
  const size = from.shape[axis] as number
  if (size < 2) return null
  const begin = make.below(size - 1)
  const step = make.pick([1, 1, 2])
  const inputs = [begin, size, axis, step].map((value) => make.constant(int64s(value)))
  return make.node(
    'Slice',
    [from.name, ...inputs],
    from.shape.with(axis, Math.ceil((size - begin) / step)),
  )
}

const reduce: Step = (from, make) => {
  const axis = make.below(from.shape.length)
  const keeps = make.below(2) === 1 || from.shape.length === 1
  const shape = keeps ? from.shape.with(axis, 1) : from.shape.toSpliced(axis, 1)
  return make.node(
    make.pick(['ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceL2']),
    [from.name],
    shape,
    {
      axes: ['ints', [axis]],
      keepdims: ['int', Number(keeps)],
    },
  )
}

const softmax: Step = (from, make) =>
  make.node('Softmax', [from.name], from.shape, { axis: ['int', make.below(from.shape.length)] })

const pad: Step = (from, make) => {
  const before = from.shape.map(() => make.below(2))
  const after = from.shape.map(() => make.below(2))
  const shape = from.shape.map(
    (size, axis) => size + (before[axis] as number) + (after[axis] as number),
  )
  return product(shape) > 4096
    ? null
    : make.node('Pad', [from.name, make.constant(int64s(...before, ...after))], shape)
}

const dense: Step = (from, make) => {
  const depth = from.shape.at(-1) as number
  const width = make.pick([2, 3, 5])
  return make.node('MatMul', [from.name, make.constant([depth, width])], from.shape.with(-1, width))
}

const gather: Step = (from, make) => {
  const axis = make.below(from.shape.length)
  const size = from.shape[axis] as number
  const indices = Array.from({ length: 3 }, () => make.below(2 * size) - size)
  return make.node(
    'Gather',
    [from.name, make.constant(int64s(...indices))],
    from.shape.with(axis, 3),
    { axis: ['int', axis] },
  )
}

const normal: Step = (from, make) => {
  const width = from.shape.at(-1) as number
  // Fewer elements have next to no variance, which magnifies rounding.
  if (width < 3) return null
  return make.node(
    'LayerNormalization',
    [from.name, make.constant([width]), make.constant([width])],
    from.shape,
    {
      epsilon: ['float', 0.01],
    },
  )
}

const STEPS: readonly Step[] = [
  unary,
  unary,
  binary,
  scaled,
  conv,
  conv,
  pool,
  transpose,
  reshape,
  concat,
  slice,
  reduce,
  softmax,
  pad,
  dense,
  gather,
  normal,
  ...MORE_STEPS,
  // Most of what is converted is made of these.
  conv,
  conv,
  pool,
  reshape,
]

const INPUTS = [
  [1, 3, 6, 6],
  [1, 4, 5, 7],
  [2, 3, 4],
  [3, 5],
  [1, 2, 8, 8],
  [2, 2, 3, 4, 3],
]

/** A small valid graph: up to `nodes` operators after each other and beside each other, whatever the last ones give as outputs. */
export function randomGraph(
  random: () => number,
  nodes = 8,
): { readonly model: OnnxModel; readonly spec: SmallOnnx } {
  const make = new Maker(random)
  const shape = make.pick(INPUTS)
  make.values.push({ name: 'x', shape })
  for (let tries = 0; make.rows.length < nodes && tries < 3 * nodes; tries += 1) {
    const recent = make.values.slice(-3)
    make.pick(STEPS)(make.pick(recent), make)
  }
  const read = new Set(make.rows.flatMap(([, inputs]) => inputs))
  const outputs = make.values
    .filter(({ name }) => name !== 'x' && !read.has(name))
    .map(({ name }) => name)
  const spec = { inputs: { x: shape }, outputs, constants: make.constants, rows: make.rows }
  const model = smallOnnx(spec)
  if (model.graph)
    model.graph.output = outputs.map((name) => {
      const made = make.values.find((value) => value.name === name)
      return typedValue(name, 'float32', made?.shape ?? [])
    })
  return { model, spec }
}
