import { int64s, numbers } from '../../onnx/small-onnx.ts'
import { body } from './nested.ts'
import { product, type Step } from './random-maker.ts'

const MOST = 4096

const smooth: Step = (from, make) => {
  const opType = make.pick(['Selu', 'Softsign', 'Cos', 'Identity', 'LogSoftmax', 'HardSigmoid'])
  return make.node(opType, [from.name], from.shape)
}

/** As exporters write SiLU and GELU. */
const gated: Step = (from, make) => {
  const inner =
    make.below(2) === 0
      ? from
      : make.node('Mul', [from.name, make.constant(numbers(1.702))], from.shape)
  const gate = make.node('Sigmoid', [inner.name], from.shape)
  return make.node('Mul', [from.name, gate.name], from.shape)
}

/** Square roots, logarithms and quotients, of numbers where they are tame. */
const positive: Step = (from, make) => {
  const magnitude = make.node('Abs', [from.name], from.shape)
  const above = make.node('Add', [magnitude.name, make.constant(numbers(0.5))], from.shape)
  if (make.below(3) === 0) return make.node('Div', [make.twin(from).name, above.name], from.shape)
  return make.node(make.pick(['Sqrt', 'Log', 'Reciprocal']), [above.name], from.shape)
}

const clip: Step = (from, make) => {
  const [low, high] = [make.constant(numbers(-0.4)), make.constant(numbers(0.7))]
  const bounds = make.pick([[low, high], [low], ['', high]])
  return make.node('Clip', [from.name, ...bounds], from.shape)
}

const choice: Step = (from, make) => {
  // Nobody lies there so exactly that it hangs on how he was rounded.
  const bigger = make.fresh('b')
  const opType = make.pick(['Greater', 'LessOrEqual'])
  const twin = make.twin(from)
  make.rows.push([opType, [from.name, make.constant(numbers(0.123))], [bigger]])
  return make.node('Where', [bigger, from.name, twin.name], from.shape)
}

const prelu: Step = (from, make) => {
  const slope = make.constant(from.shape.map((size, axis) => (axis === 1 ? size : 1)))
  return from.shape.length < 2 ? null : make.node('PRelu', [from.name, slope], from.shape)
}

const split: Step = (from, make) => {
  const axis = make.below(from.shape.length)
  const size = from.shape[axis] as number
  if (size < 2) return null
  const first = 1 + make.below(size - 1)
  const [one, other] = [make.fresh('v'), make.fresh('v')]
  const sizes = make.constant(int64s(first, size - first))
  make.rows.push(['Split', [from.name, sizes], [one, other], { axis: ['int', axis] }])
  make.values.push({ name: one, shape: from.shape.with(axis, first) })
  const rest = { name: other, shape: from.shape.with(axis, size - first) }
  make.values.push(rest)
  return rest
}

const squeezed: Step = (from, make) => {
  const single = from.shape.indexOf(1)
  if (single >= 0 && from.shape.length > 1)
    return make.node(
      'Squeeze',
      [from.name, make.constant(int64s(single))],
      from.shape.toSpliced(single, 1),
    )
  if (from.shape.length > 4) return null
  const axis = make.below(from.shape.length + 1)
  const shape = from.shape.toSpliced(axis, 0, 1)
  return make.node('Unsqueeze', [from.name, make.constant(int64s(axis))], shape)
}

const blocks: Step = (from, make) => {
  const [batch = 1, channels = 1, height = 1, width = 1] = from.shape
  if (from.shape.length !== 4) return null
  const blocksize = ['int', 2] as const
  if (channels % 4 === 0)
    return make.node('DepthToSpace', [from.name], [batch, channels / 4, height * 2, width * 2], {
      blocksize,
      mode: ['string', make.pick(['DCR', 'CRD'])],
    })
  if (height % 2 !== 0 || width % 2 !== 0) return null
  const shape = [batch, channels * 4, height / 2, width / 2]
  return make.node('SpaceToDepth', [from.name], shape, { blocksize })
}

const repeated: Step = (from, make) => {
  const repeats = from.shape.map(() => make.pick([1, 1, 2, 3]))
  const shape = from.shape.map((size, axis) => size * (repeats[axis] as number))
  if (product(shape) > MOST) return null
  return make.node('Tile', [from.name, make.constant(int64s(...repeats))], shape)
}

const expanded: Step = (from, make) => {
  const shape = from.shape.map((size) => (size === 1 ? make.pick([1, 2, 3]) : size))
  if (product(shape) > MOST) return null
  return make.node('Expand', [from.name, make.constant(int64s(...shape))], shape)
}

const convTranspose: Step = (from, make) => {
  const [batch = 1, channels = 1, ...spatial] = from.shape
  if (from.shape.length !== 4) return null
  const filters = make.pick([1, 2, 3])
  const [kernel, stride] = [make.pick([2, 3]), make.pick([1, 2])]
  const pad = make.below(2)
  const sizes = spatial.map((size) => (size - 1) * stride + kernel - 2 * pad)
  if (sizes.some((size) => size < 1) || product(sizes) > MOST) return null
  const weight = make.constant([channels, filters, kernel, kernel])
  return make.node('ConvTranspose', [from.name, weight], [batch, filters, ...sizes], {
    strides: ['ints', [stride, stride]],
    pads: ['ints', [pad, pad, pad, pad]],
  })
}

const resize: Step = (from, make) => {
  const [batch = 1, channels = 1, height = 1, width = 1] = from.shape
  if (from.shape.length !== 4) return null
  const shape = [batch, channels, height * make.pick([1, 2]), width * make.pick([2, 3])]
  if (product(shape) > MOST) return null
  const mode = make.pick([
    { mode: ['string', 'nearest'], nearest_mode: ['string', 'floor'] },
    { mode: ['string', 'linear'] },
    { mode: ['string', 'cubic'] },
  ] as const)
  const coordinates = make.pick(['asymmetric', 'half_pixel', 'align_corners'])
  const attributes = { ...mode, coordinate_transformation_mode: ['string', coordinates] } as const
  return make.node(
    'Resize',
    [from.name, '', '', make.constant(int64s(...shape))],
    shape,
    attributes,
  )
}

const batchNorm: Step = (from, make) => {
  const [, channels = 0] = from.shape
  if (from.shape.length < 2) return null
  // One number alone would be a scalar here, and a vector is wanted.
  const vector = () => make.constant([channels])
  const variance = make.constant(Float32Array.from({ length: channels + 1 }, (_, i) => 0.5 + i / 4))
  const cut = make.fresh('variance')
  const [begin, end] = [make.constant(int64s(0)), make.constant(int64s(channels))]
  make.rows.push(['Slice', [variance, begin, end], [cut]])
  const inputs = [from.name, vector(), vector(), vector(), cut]
  return make.node('BatchNormalization', inputs, from.shape)
}

const instanceNorm: Step = (from, make) => {
  const [, channels = 0, ...spatial] = from.shape
  // Fewer elements have next to no variance, which magnifies rounding.
  if (from.shape.length < 3 || product(spatial) < 4) return null
  const inputs = [from.name, make.constant([channels]), make.constant([channels])]
  return make.node('InstanceNormalization', inputs, from.shape, { epsilon: ['float', 0.01] })
}

const globalPool: Step = (from, make) => {
  if (from.shape.length !== 4) return null
  const shape = [from.shape[0] as number, from.shape[1] as number, 1, 1]
  return make.node(make.pick(['GlobalAveragePool', 'GlobalMaxPool']), [from.name], shape)
}

const gemm: Step = (from, make) => {
  const [rows = 1, depth = 1] = from.shape
  if (from.shape.length !== 2) return null
  const transposed = make.below(2)
  const weight = make.constant(transposed === 1 ? [4, depth] : [depth, 4])
  return make.node('Gemm', [from.name, weight, make.constant([4])], [rows, 4], {
    transB: ['int', transposed],
    alpha: ['float', make.pick([1, 0.5])],
  })
}

const running: Step = (from, make) =>
  make.node(
    'CumSum',
    [from.name, make.constant(int64s(make.below(from.shape.length)))],
    from.shape,
    {
      reverse: ['int', make.below(2)],
      exclusive: ['int', make.below(2)],
    },
  )

const reduced: Step = (from, make) => {
  const axis = make.below(from.shape.length)
  const shape = from.shape.with(axis, 1)
  if (make.below(2) === 0)
    return make.node('ReduceSum', [from.name, make.constant(int64s(axis))], shape)
  const opType = make.pick(['ReduceL1', 'ReduceLogSumExp', 'ReduceSumSquare'])
  return make.node(opType, [from.name], shape, { axes: ['ints', [axis]] })
}

/** Rows against each other: a product of two computed values. */
const attended: Step = (from, make) => {
  const { shape } = from
  if (shape.length < 2 || shape.length > 4) return null
  const [rows = 1, depth = 1] = shape.slice(-2)
  const order = shape.map((_, axis) => axis)
  const perm = [...order.slice(0, -2), shape.length - 1, shape.length - 2]
  const turned = make.node('Transpose', [from.name], [...shape.slice(0, -2), depth, rows], {
    perm: ['ints', perm],
  })
  const scores = make.node('MatMul', [from.name, turned.name], [...shape.slice(0, -1), rows])
  return make.node('Softmax', [scores.name], scores.shape, { axis: ['int', -1] })
}

const summed: Step = (from, make) => {
  if (from.shape.length !== 3) return null
  const [a = 1, b = 1, c = 1] = from.shape
  const weight = make.constant([c, 3])
  return make.node('Einsum', [from.name, weight], [b, a, 3], {
    equation: ['string', 'abc,cd->bad'],
  })
}

const scattered: Step = (from, make) => {
  const [rows = 1, ...rest] = from.shape
  const at = make.fresh('at')
  make.rows.push([
    'Reshape',
    [make.constant(int64s(make.below(rows))), make.constant(int64s(1, 1))],
    [at],
  ])
  return make.node('ScatterND', [from.name, at, make.constant([1, ...rest])], from.shape)
}

const elements: Step = (from, make) => {
  if (from.shape.length !== 2) return null
  const [rows = 1, columns = 1] = from.shape
  const flat = make.constant(int64s(...Array.from({ length: rows * 2 }, () => make.below(columns))))
  const indices = make.fresh('indices')
  make.rows.push(['Reshape', [flat, make.constant(int64s(rows, 2))], [indices]])
  return make.node('GatherElements', [from.name, indices], [rows, 2], { axis: ['int', 1] })
}

const recurrent: Step = (from, make) => {
  const [steps = 1, batch = 1, width = 1] = from.shape
  if (from.shape.length !== 3 || steps > 8) return null
  const hidden = 3
  const [opType, gates] = make.pick([
    ['LSTM', 4],
    ['GRU', 3],
    ['RNN', 1],
  ] as const)
  const inputs = [
    from.name,
    make.constant([1, gates * hidden, width]),
    make.constant([1, gates * hidden, hidden]),
    make.constant([1, 2 * gates * hidden]),
  ]
  return make.node(opType, inputs, [steps, 1, batch, hidden], {
    hidden_size: ['int', hidden],
    ...(opType === 'GRU' && { linear_before_reset: ['int', make.below(2)] }),
  })
}

/** A few turns, many, or as many as the numbers say; at times all that happened on the way. */
const looped: Step = (from, make) => {
  const turns = make.pick([1, 3, 600, 'computed'] as const)
  const gathers = turns !== 'computed' && product(from.shape) < 32 && make.below(2) === 0
  const [limit, stack] = [make.fresh('limit'), make.fresh('v')]
  const single = make.fresh('turns')
  if (turns === 'computed') {
    const [most, apart] = [make.fresh('most'), make.fresh('apart')]
    make.rows.push(
      ['ReduceL1', [from.name], [most], { keepdims: ['int', 0] }],
      // What a softmax adds up to is an integer but for its rounding.
      ['Add', [most, make.constant(numbers(0.29))], [apart]],
      ['Cast', [apart], [limit], { to: ['int', 7] }],
    )
  } else make.rows.push(['Squeeze', [make.constant(int64s(turns))], [limit]])
  // Names inside are nobody else's.
  const [turn, going, state, on, next, told] = ['t', 'g', 's', 'o', 'n', 'd'].map((word) =>
    make.fresh(`${single}${word}`),
  ) as [string, string, string, string, string, string]
  const inner = body(
    { [turn]: 'int64', [going]: 'bool', [state]: 'float32' },
    [on, next, ...(gathers ? [told] : [])],
    [
      ['Identity', [going], [on]],
      ['Tanh', [state], [told]],
      ['Sub', [told, make.twin(from).name], [next]],
    ],
  )
  const inputs = [limit, '', from.name]
  const result = make.fresh('v')
  make.rows.push([
    'Loop',
    inputs,
    [result, ...(gathers ? [stack] : [])],
    { body: ['graph', inner] },
  ])
  const value = { name: result, shape: from.shape }
  make.values.push(value)
  if (gathers) make.values.push({ name: stack, shape: [turns, ...from.shape] })
  return value
}

/** One of two branches, as the numbers say. */
const branched: Step = (from, make) => {
  const [mean, condition] = [make.fresh('mean'), make.fresh('condition')]
  make.rows.push(
    ['ReduceMean', [from.name], [mean], { keepdims: ['int', 0] }],
    ['Greater', [mean, make.constant(numbers(0.0123))], [condition]],
  )
  const branch = (opType: string) => {
    const name = make.fresh('branch')
    return ['graph', body({}, [name], [[opType, [from.name], [name]]])] as const
  }
  return make.node('If', [condition], from.shape, {
    then_branch: branch('Relu'),
    else_branch: branch('Sin'),
  })
}

/** What exporters write besides convolutions, pools and plain arithmetic. */
export const MORE_STEPS: readonly Step[] = [
  smooth,
  gated,
  positive,
  clip,
  choice,
  prelu,
  split,
  squeezed,
  blocks,
  repeated,
  expanded,
  convTranspose,
  resize,
  batchNorm,
  instanceNorm,
  globalPool,
  gemm,
  running,
  reduced,
  attended,
  summed,
  scattered,
  elements,
  recurrent,
  looped,
  branched,
]
