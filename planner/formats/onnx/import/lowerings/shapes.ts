import { elementType } from '../element-types.ts'
import { ImportError } from '../errors.ts'
import type { GraphBuilder } from '../graph-builder.ts'
import { axisIn, perAxisIn } from '../layout.ts'
import {
  commonLayout,
  defineActivated,
  input,
  type Lowering,
  option,
  output,
  type SourceOperator,
} from '../lowering.ts'
import { stridedSlice } from './strided-slice.ts'

/** Reshape, squeeze and expand-dims all: the same elements under the output's shape. */
const reshape: Lowering = (operator, graph) => {
  const result = graph.define(output(operator), 'native')
  graph.node(
    'Reshape',
    [graph.value(input(operator, 0)), reshapeTarget(operator, graph, result)],
    [result],
  )
}

function reshapeTarget(operator: SourceOperator, graph: GraphBuilder, near: string): string {
  const shape = graph.shapeOf(output(operator))
  if (shape.filter((dim) => dim < 0).length <= 1) return graph.int64s(`${near}/shape`, shape)
  const dynamic = input(operator, 1)
  if (dynamic < 0)
    throw new ImportError(
      'unsupported-model',
      `${operator.kind} to a shape with several open dimensions`,
    )
  return graph.compute('Cast', [graph.value(dynamic)], near, { to: ['int', 7] })
}

const transpose: Lowering = (operator, graph) => {
  const perm = needed(operator, graph, 1, 'permutation')
  graph.node(
    'Transpose',
    [graph.value(input(operator, 0))],
    [graph.define(output(operator), 'native')],
    {
      perm: ['ints', perm],
    },
  )
}

const concatenation: Lowering = (operator, graph) => {
  const rank = graph.shapeOf(output(operator)).length
  const layout = commonLayout(graph, operator.inputs)
  const names = operator.inputs.map((index) => graph.value(index, layout))
  defineActivated(operator, graph, layout, (name) =>
    graph.node('Concat', names, [name], {
      axis: ['int', axisIn(layout, option(operator, 'axis', 0), rank)],
    }),
  )
}

function pad(mode: (operator: SourceOperator) => string): Lowering {
  return (operator, graph) => {
    const data = input(operator, 0)
    const layout = commonLayout(graph, [data])
    const flat = needed(operator, graph, 1, 'padding')
    const pairs = flat
      .filter((_, i) => i % 2 === 0)
      .map((before, i) => [before, flat[2 * i + 1] as number] as const)
    const placed = perAxisIn(graph.shapeOf(data).length === 4 ? layout : 'native', pairs)
    const result = graph.define(output(operator), layout)
    const pads = graph.int64s(`${result}/pads`, [
      ...placed.map(([before]) => before),
      ...placed.map(([, after]) => after),
    ])
    const value = input(operator, 2)
    const inputs = [graph.value(data, layout), pads, ...(value < 0 ? [] : [scalarOf(graph, value)])]
    graph.node('Pad', inputs, [result], { mode: ['string', mode(operator)] })
  }
}

/** PADV2 keeps its value as one element of any rank; ONNX wants a scalar. */
function scalarOf(graph: GraphBuilder, value: number): string {
  const data = graph.constant(value)
  if (data !== null)
    return graph.scalar(`${graph.tensor(value).name}/scalar`, graph.typeOf(value), Number(data[0]))
  return graph.compute(
    'Reshape',
    [graph.value(value), graph.int64s('scalar', [])],
    graph.value(value),
  )
}

const slice: Lowering = (operator, graph) => {
  const begins = needed(operator, graph, 1, 'begin')
  const sizes = needed(operator, graph, 2, 'size')
  const ends = begins.map((begin, i) =>
    (sizes[i] as number) < 0 ? 2 ** 31 - 1 : begin + (sizes[i] as number),
  )
  const result = graph.define(output(operator), 'native')
  const axes = begins.map((_, axis) => axis)
  const bounds = [begins, ends, axes].map((values, i) =>
    graph.int64s(`${result}/slice${i}`, values),
  )
  graph.node('Slice', [graph.value(input(operator, 0)), ...bounds], [result])
}

/** SPLIT has its axis first, SPLIT_V its data first, then sizes, then axis. */
function split(dataAt: number, axisAt: number): Lowering {
  return (operator, graph) => {
    const data = input(operator, dataAt)
    const rank = graph.shapeOf(data).length
    const layout = commonLayout(graph, [data])
    const [axis = 0] = needed(operator, graph, axisAt, 'axis')
    const sizes = operator.outputs.map((index) => graph.shapeOf(index).at(axis) as number)
    const from = graph.value(data, layout)
    const outputs = operator.outputs.map((index) => graph.define(index, layout))
    const parts = graph.int64s(`${from}/parts`, sizes)
    graph.node('Split', [from, parts], outputs, { axis: ['int', axisIn(layout, axis, rank)] })
  }
}

const pack: Lowering = (operator, graph) => {
  const rank = graph.shapeOf(output(operator)).length
  const axis = axisIn('native', option(operator, 'axis', 0), rank)
  const result = graph.define(output(operator), 'native')
  const raised = operator.inputs.map((index) =>
    graph.compute(
      'Unsqueeze',
      [graph.value(index), graph.int64s(`${result}/axis`, [axis])],
      result,
    ),
  )
  graph.node('Concat', raised, [result], { axis: ['int', axis] })
}

const unpack: Lowering = (operator, graph) => {
  const data = input(operator, 0)
  const rank = graph.shapeOf(data).length
  const axis = axisIn('native', option(operator, 'axis', 0), rank)
  const from = graph.value(data)
  operator.outputs.forEach((index, at) => {
    const result = graph.define(index, 'native')
    graph.node('Gather', [from, graph.scalar(`${result}/index`, 'int64', at)], [result], {
      axis: ['int', axis],
    })
  })
}

const gather: Lowering = (operator, graph) => {
  const rank = graph.shapeOf(input(operator, 0)).length
  if (option(operator, 'batchDims', 0) !== 0) {
    throw new ImportError('unsupported-model', 'GATHER with batch dimensions has no ONNX form here')
  }
  graph.node(
    'Gather',
    [graph.value(input(operator, 0)), graph.value(input(operator, 1))],
    [graph.define(output(operator), 'native')],
    {
      axis: ['int', axisIn('native', option(operator, 'axis', 0), rank)],
    },
  )
}

const gatherNd: Lowering = (operator, graph) => {
  const indices = graph.compute('Cast', [graph.value(input(operator, 1))], 'indices', {
    to: ['int', 7],
  })
  graph.node(
    'GatherND',
    [graph.value(input(operator, 0)), indices],
    [graph.define(output(operator), 'native')],
  )
}

const tile: Lowering = (operator, graph) => {
  const repeats = needed(operator, graph, 1, 'multiples')
  const result = graph.define(output(operator), 'native')
  graph.node(
    'Tile',
    [graph.value(input(operator, 0)), graph.int64s(`${result}/repeats`, repeats)],
    [result],
  )
}

const broadcastTo: Lowering = (operator, graph) => {
  const result = graph.define(output(operator), 'native')
  const shape = graph.int64s(`${result}/shape`, needed(operator, graph, 1, 'shape'))
  graph.node('Expand', [graph.value(input(operator, 0)), shape], [result])
}

const cast: Lowering = (operator, graph) => {
  const CODES = {
    float32: 1,
    uint8: 2,
    int8: 3,
    uint16: 4,
    int16: 5,
    int32: 6,
    int64: 7,
    bool: 9,
    float16: 10,
    float64: 11,
    uint32: 12,
    uint64: 13,
  }
  const layout = commonLayout(graph, [input(operator, 0)])
  const to = CODES[elementType(graph.tensor(output(operator)).type)]
  const from = graph.value(input(operator, 0), layout)
  graph.node('Cast', [from], [graph.define(output(operator), layout)], { to: ['int', to] })
}

/** A computed shape, permutation or axis would need the graph to compute it too: not of the families we import. */
function needed(
  operator: SourceOperator,
  graph: GraphBuilder,
  position: number,
  what: string,
): number[] {
  const values = graph.integers(input(operator, position))
  if (values !== null) return values
  throw new ImportError(
    'unsupported-model',
    `${operator.kind} with a ${what} computed at run time`,
    { operator: operator.kind },
  )
}

export const SHAPES: Readonly<Record<string, Lowering>> = {
  RESHAPE: reshape,
  SQUEEZE: reshape,
  EXPAND_DIMS: reshape,
  TRANSPOSE: transpose,
  CONCATENATION: concatenation,
  PAD: pad(() => 'constant'),
  PADV2: pad(() => 'constant'),
  MIRROR_PAD: pad((operator) =>
    option(operator, 'mode', 'REFLECT') === 'REFLECT' ? 'reflect' : 'symmetric',
  ),
  SLICE: slice,
  STRIDED_SLICE: stridedSlice,
  SPLIT: split(1, 0),
  SPLIT_V: split(0, 2),
  PACK: pack,
  UNPACK: unpack,
  GATHER: gather,
  GATHER_ND: gatherNd,
  TILE: tile,
  BROADCAST_TO: broadcastTo,
  CAST: cast,
}
