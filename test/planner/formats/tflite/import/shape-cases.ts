import type { Row } from '../../onnx/small-onnx.ts'
import { int64s, numbers } from '../../onnx/small-onnx.ts'
import { type OnnxCase, one } from './case.ts'

const IMAGE = [1, 4, 5, 6]
const axis = (value: number) => ['int', value] as const
const withInts = (
  title: string,
  inputs: readonly (readonly number[])[],
  values: readonly number[],
  attributes: Row[3] = {},
  opset = 17,
) =>
  one(title, inputs, attributes, { opset, extra: ['list'], constants: { list: int64s(...values) } })

const reductions = [
  'ReduceMean',
  'ReduceMax',
  'ReduceMin',
  'ReduceProd',
  'ReduceL1',
  'ReduceL2',
  'ReduceSumSquare',
  'ReduceLogSumExp',
]
const reduced = reductions.flatMap((name) => [
  one(`${name} of pixels`, [IMAGE], { axes: ['ints', [2, 3]] }),
  one(`${name} of channels, dropped`, [IMAGE], { axes: ['ints', [1]], keepdims: axis(0) }),
])

const sliced = (title: string, starts: number[], ends: number[], axes: number[], steps: number[]) =>
  one(
    `Slice ${title}`,
    [IMAGE],
    {},
    {
      extra: ['s', 'e', 'a', 't'],
      constants: {
        s: int64s(...starts),
        e: int64s(...ends),
        a: int64s(...axes),
        t: int64s(...steps),
      },
    },
  )

const padded = (title: string, mode: string, pads: number[]) =>
  one(
    `Pad ${title}`,
    [IMAGE],
    { mode: ['string', mode] },
    { extra: ['pads'], constants: { pads: int64s(...pads) } },
  )

/** Integers below three, from floats. */
const indexed = (
  operator: string,
  shape: readonly number[],
  row: (indices: string) => Row,
): OnnxCase => ({
  title: `${operator} by computed indices`,
  inputs: { x: [3, 3, 4], at: shape },
  outputs: ['out'],
  domain: 'small-integers',
  constants: { depth: int64s(3), values: numbers(0, 1) },
  rows: [['Cast', ['at'], ['indices'], { to: axis(7) }], row('indices')],
})

/** Operators that move elements, take some, or sum some up. */
export const SHAPE_CASES: readonly OnnxCase[] = [
  withInts('Reshape of an image', [IMAGE], [1, -1]),
  withInts('Reshape of pixels', [IMAGE], [0, 0, -1]),
  one('Flatten', [IMAGE]),
  withInts('Squeeze', [[1, 4, 1, 6]], [0, 2]),
  withInts('Unsqueeze', [[4, 6]], [0, 3]),
  one('Transpose', [IMAGE], { perm: ['ints', [0, 2, 3, 1]] }),
  one('Transpose of channels and rows', [IMAGE], { perm: ['ints', [0, 2, 1, 3]] }),
  one('Transpose of six axes', [[2, 1, 3, 2, 2, 2]], { perm: ['ints', [5, 4, 3, 2, 1, 0]] }),
  one('Concat of channels', [IMAGE, IMAGE], { axis: axis(1) }),
  one('Concat of columns', [IMAGE, IMAGE], { axis: axis(-1) }),
  {
    title: 'Split in halves',
    inputs: { x: IMAGE },
    outputs: ['a', 'b'],
    rows: [['Split', ['x'], ['a', 'b'], { axis: axis(1) }]],
  },
  {
    title: 'Split unevenly',
    inputs: { x: IMAGE },
    outputs: ['a', 'b'],
    constants: { list: int64s(1, 3) },
    rows: [['Split', ['x', 'list'], ['a', 'b'], { axis: axis(1) }]],
  },
  sliced('inside', [1, 1], [3, 5], [1, 3], [1, 1]),
  sliced('every second', [0, 1], [4, 6], [1, 3], [2, 2]),
  sliced('backwards', [-1], [-99], [2], [-1]),
  sliced('from the end', [-2], [99], [3], [1]),
  one(
    'Slice of six axes',
    [[2, 1, 3, 2, 2, 4]],
    {},
    { extra: ['s', 'e', 'a'], constants: { s: int64s(1, 1), e: int64s(3, 3), a: int64s(2, 5) } },
  ),
  withInts('Expand', [[1, 4, 1, 6]], [1, 4, 5, 6]),
  withInts('Tile', [IMAGE], [1, 2, 1, 3]),
  padded('with zeros', 'constant', [0, 1, 2, 0, 0, 0, 1, 3]),
  padded('with what is cut', 'constant', [0, 0, -1, 0, 0, 0, 1, -2]),
  padded('with the edge', 'edge', [0, 0, 2, 1, 0, 0, 1, 2]),
  padded('with reflections', 'reflect', [0, 0, 2, 1, 0, 0, 1, 2]),
  one(
    'Pad with a number',
    [IMAGE],
    {},
    {
      extra: ['pads', 'value'],
      constants: { pads: int64s(0, 0, 1, 1, 0, 0, 1, 1), value: numbers(2.5) },
    },
  ),
  one('Trilu below', [[5, 5]], { upper: axis(0) }),
  {
    title: 'ReverseSequence',
    inputs: { x: [4, 3] },
    outputs: ['out'],
    constants: { lengths: int64s(2, 4, 1) },
    rows: [['ReverseSequence', ['x', 'lengths'], ['out']]],
  },
  ...reduced,
  withInts('ReduceSum of pixels', [IMAGE], [2, 3]),
  one('ReduceSum of everything', [IMAGE], { keepdims: axis(0) }),
  one('ReduceLogSum of pixels', [IMAGE], { axes: ['ints', [2, 3]] }, { domain: 'positive' }),
  {
    title: 'ArgMax of channels',
    inputs: { x: IMAGE },
    outputs: ['out'],
    rows: [
      ['ArgMax', ['x'], ['at'], { axis: axis(1) }],
      ['Cast', ['at'], ['out'], { to: axis(1) }],
    ],
  },
  {
    title: 'ArgMin of columns, dropped',
    inputs: { x: IMAGE },
    outputs: ['out'],
    rows: [
      ['ArgMin', ['x'], ['at'], { axis: axis(-1), keepdims: axis(0) }],
      ['Cast', ['at'], ['out'], { to: axis(1) }],
    ],
  },
  one('Softmax of channels', [IMAGE], { axis: axis(1) }),
  one('Softmax of rows', [IMAGE], { axis: axis(2) }),
  one('LogSoftmax of columns', [IMAGE]),
  one(
    'Gather of channels',
    [IMAGE],
    { axis: axis(1) },
    { extra: ['list'], constants: { list: int64s(3, -4, 1) } },
  ),
  one(
    'Gather of one row',
    [IMAGE],
    { axis: axis(2) },
    { extra: ['list'], constants: { list: int64s(2) } },
  ),
  indexed('Gather', [2, 2], (indices) => ['Gather', ['x', indices], ['out'], { axis: axis(1) }]),
  indexed('GatherElements', [3, 2, 4], (indices) => [
    'GatherElements',
    ['x', indices],
    ['out'],
    { axis: axis(1) },
  ]),
  indexed('GatherND', [5, 2], (indices) => ['GatherND', ['x', indices], ['out']]),
  indexed('OneHot', [4], (indices) => ['OneHot', [indices, 'depth', 'values'], ['out']]),
  {
    title: 'ScatterND of constants',
    inputs: { x: [3, 4], y: [2, 4] },
    outputs: ['out'],
    constants: { list: int64s(2, 0), axis: int64s(1) },
    rows: [
      ['Unsqueeze', ['list', 'axis'], ['at']],
      ['ScatterND', ['x', 'at', 'y'], ['out']],
    ],
  },
  {
    title: 'ScatterElements of computed places',
    inputs: { x: [3, 4], at: [1, 4], y: [1, 4] },
    outputs: ['out'],
    domain: 'small-integers',
    rows: [
      ['Cast', ['at'], ['indices'], { to: axis(7) }],
      ['ScatterElements', ['x', 'indices', 'y'], ['out']],
    ],
  },
  {
    title: 'TopK',
    inputs: { x: [3, 8] },
    outputs: ['out', 'places'],
    constants: { k: int64s(3) },
    rows: [
      ['TopK', ['x', 'k'], ['out', 'at']],
      ['Cast', ['at'], ['places'], { to: axis(1) }],
    ],
  },
  {
    title: 'TopK, the smallest of rows',
    inputs: { x: [6, 3] },
    outputs: ['out'],
    constants: { k: int64s(2) },
    rows: [['TopK', ['x', 'k'], ['out', 'at'], { axis: axis(0), largest: axis(0) }]],
  },
  {
    title: 'Range beside a value',
    inputs: { x: [5] },
    outputs: ['out'],
    constants: { from: numbers(1), to: numbers(6), by: numbers(1) },
    rows: [
      ['Range', ['from', 'to', 'by'], ['r']],
      ['Add', ['x', 'r'], ['out']],
    ],
  },
  one(
    'Gemm',
    [[3, 4]],
    { transB: axis(1) },
    { extra: ['w', 'b'], constants: { w: [5, 4], b: [5] } },
  ),
  one(
    'Gemm scaled',
    [[3, 4]],
    { alpha: ['float', 0.5], beta: ['float', 2] },
    { extra: ['w', 'b'], constants: { w: [4, 5], b: [5] } },
  ),
  one(
    'Gemm of computed values',
    [
      [4, 3],
      [5, 4],
      [3, 5],
    ],
    { transA: axis(1), transB: axis(1) },
  ),
  one('MatMul with weights', [[2, 3, 4]], {}, { extra: ['w'], constants: { w: [4, 5] } }),
  one('MatMul of computed values', [
    [2, 3, 4],
    [2, 4, 5],
  ]),
  one('MatMul broadcast', [
    [2, 2, 3, 4],
    [2, 4, 5],
  ]),
  one('MatMul of vectors', [[4], [4]]),
  one('MatMul of six axes', [
    [2, 1, 2, 2, 3, 4],
    [3, 1, 2, 4, 5],
  ]),
  {
    title: 'com.microsoft.FusedMatMul',
    inputs: { x: [2, 3, 4], y: [2, 5, 4] },
    outputs: ['out'],
    rows: [
      [
        'com.microsoft.FusedMatMul',
        ['x', 'y'],
        ['out'],
        { transB: axis(1), alpha: ['float', 0.5] },
      ],
    ],
  },
  ...[
    'bij,bjk->bik',
    'bhid,bhjd->bhij',
    'i,j->ij',
    'ij->ji',
    'ij->i',
    'bij,bij->b',
    '...ij,...jk->...ik',
  ].map((equation): OnnxCase => {
    const SIZES: Readonly<Record<string, number>> = { b: 2, h: 2, i: 3, j: 4, k: 5, d: 3 }
    const shapes = (equation.split('->')[0] ?? '')
      .split(',')
      .map((term) => [...term.replace('...', 'bh')].map((label) => SIZES[label] as number))
    return one(`Einsum ${equation}`, shapes, { equation: ['string', equation] })
  }),
  ...['forward', 'reverse', 'bidirectional'].flatMap((direction): OnnxCase[] => {
    const ways = direction === 'bidirectional' ? 2 : 1
    const layer = (operator: string, gates: number, attributes: Row[3] = {}): OnnxCase => ({
      title: `${operator} ${direction}`,
      inputs: { x: [4, 2, 3] },
      outputs: operator === 'LSTM' ? ['y', 'h', 'c'] : ['y', 'h'],
      constants: { w: [ways, gates * 5, 3], r: [ways, gates * 5, 5], b: [ways, 2 * gates * 5] },
      rows: [
        [
          operator,
          ['x', 'w', 'r', 'b'],
          operator === 'LSTM' ? ['y', 'h', 'c'] : ['y', 'h'],
          { hidden_size: axis(5), direction: ['string', direction], ...attributes },
        ],
      ],
    })
    return [
      layer('LSTM', 4),
      layer('GRU', 3),
      layer('GRU', 3, { linear_before_reset: axis(1) }),
      layer('RNN', 1),
    ]
  }),
]
