import { DATA_TYPES } from '../../schema.ts'
import { elementType } from '../element-types.ts'
import { ImportError } from '../errors.ts'
import type { GraphBuilder } from '../graph-builder.ts'
import { axisIn, type Layout, perAxisIn, shapeIn } from '../layout.ts'
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

const pad: Lowering = (operator, graph) => {
  const layout = commonLayout(graph, [input(operator, 0)])
  const placed = padsOf(operator, graph, layout)
  const result = graph.define(output(operator), layout)
  const value = input(operator, 2)
  padNode(
    graph,
    graph.value(input(operator, 0), layout),
    placed,
    result,
    'constant',
    value < 0 ? [] : [scalarOf(graph, value)],
  )
}

type Pads = readonly (readonly [before: number, after: number])[]

function padsOf(operator: SourceOperator, graph: GraphBuilder, layout: Layout): Pads {
  const flat = needed(operator, graph, 1, 'padding')
  const pairs = flat
    .filter((_, i) => i % 2 === 0)
    .map((before, i) => [before, flat[2 * i + 1] as number] as const)
  return perAxisIn(pairs.length === 4 ? layout : 'native', pairs)
}

function padNode(
  graph: GraphBuilder,
  from: string,
  pads: Pads,
  to: string,
  mode: string,
  value: readonly string[],
): void {
  const flat = [...pads.map(([before]) => before), ...pads.map(([, after]) => after)]
  graph.node('Pad', [from, graph.int64s(`${to}/pads`, flat), ...value], [to], {
    mode: ['string', mode],
  })
}

const mirrorPad: Lowering = (operator, graph) => {
  const layout = commonLayout(graph, [input(operator, 0)])
  const pads = padsOf(operator, graph, layout)
  const from = graph.value(input(operator, 0), layout)
  const shape = shapeIn(layout, graph.shapeOf(input(operator, 0)))
  const result = graph.define(output(operator), layout)
  if (option(operator, 'mode', 'REFLECT') === 'REFLECT') {
    padNode(graph, from, pads, result, 'reflect', [])
  } else graph.node('Identity', [symmetric(graph, from, pads, shape, result)], [result])
}

/** ONNX's Pad has no mode that repeats the border itself: each axis gathers its own indices instead. */
function symmetric(
  graph: GraphBuilder,
  from: string,
  pads: Pads,
  shape: readonly number[],
  near: string,
): string {
  return pads.reduce((value, [before, after], axis) => {
    if (before === 0 && after === 0) return value
    const size = shape[axis] as number
    if (size < 0) {
      throw new ImportError('unsupported-model', 'MIRROR_PAD of a dimension that is left open')
    }
    const head = Array.from({ length: before }, (_, i) => before - 1 - i)
    const body = Array.from({ length: size }, (_, i) => i)
    const tail = Array.from({ length: after }, (_, i) => size - 1 - i)
    const indices = graph.int64s(`${near}/mirror`, [...head, ...body, ...tail])
    return graph.compute('Gather', [value, indices], near, { axis: ['int', axis] })
  }, from)
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
  const [begin, size] = [input(operator, 1), input(operator, 2)]
  const [begins, sizes] = [graph.integers(begin), graph.integers(size)]
  const result = graph.define(output(operator), 'native')
  const from = graph.value(input(operator, 0))
  if (begins === null || sizes === null) {
    const bounds = computedBounds(graph, graph.value(begin), graph.value(size), result)
    return graph.node('Slice', [from, ...bounds], [result])
  }
  const ends = begins.map((start, i) =>
    (sizes[i] as number) < 0 ? FAR : start + (sizes[i] as number),
  )
  const axes = begins.map((_, axis) => axis)
  const bounds = [begins, ends, axes].map((values, i) =>
    graph.int64s(`${result}/slice${i}`, values),
  )
  graph.node('Slice', [from, ...bounds], [result])
}

/** Beyond any dimension, and within int32. */
const FAR = 2 ** 31 - 1

/** begin, and begin + size, or the end of the dimension where the size is -1. */
function computedBounds(graph: GraphBuilder, begin: string, size: string, near: string): string[] {
  const zero = graph.scalar(`${near}/zero`, 'int32', 0)
  const far = graph.scalar(`${near}/far`, 'int32', FAR)
  const as32 = (name: string) =>
    graph.compute('Cast', [name], near, { to: ['int', DATA_TYPES.int32.code] })
  const [from, length] = [as32(begin), as32(size)]
  const open = graph.compute('Less', [length, zero], near)
  const end = graph.compute('Add', [from, length], near)
  return [from, graph.compute('Where', [open, far, end], near)]
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
  const axis = axisIn('native', option(operator, 'axis', 0), rank)
  const batchDims = option(operator, 'batchDims', 0)
  const [data, indices] = [graph.value(input(operator, 0)), graph.value(input(operator, 1))]
  const result = graph.define(output(operator), 'native')
  if (batchDims === 0) {
    return graph.node('Gather', [data, indices], [result], { axis: ['int', axis] })
  }
  if (axis !== batchDims) {
    throw new ImportError(
      'unsupported-model',
      'GATHER behind its batch dimensions has no ONNX form',
    )
  }
  const wide = graph.compute('Cast', [indices], result, { to: ['int', DATA_TYPES.int64.code] })
  const each = graph.compute('Unsqueeze', [wide, graph.int64s(`${result}/each`, [-1])], result)
  graph.node('GatherND', [data, each], [result], { batch_dims: ['int', batchDims] })
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
  const layout = commonLayout(graph, [input(operator, 0)])
  const to = DATA_TYPES[elementType(graph.tensor(output(operator)).type)].code
  const from = graph.value(input(operator, 0), layout)
  graph.node('Cast', [from], [graph.define(output(operator), layout)], { to: ['int', to] })
}

/** A computed shape, permutation or axis would need the graph to compute it too: not of the families we import. */
export function needed(
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
  PAD: pad,
  PADV2: pad,
  MIRROR_PAD: mirrorPad,
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
