import { sizeOf } from '../../../../../shared/tensors.ts'
import type { OnnxNode } from '../../../onnx/index.ts'
import { intOf, stringOf } from '../../../onnx/source.ts'
import type { DraftTensor } from '../../draft.ts'
import { add, cast, concat, pointwise, shapeOf } from '../emit.ts'
import { need } from '../errors.ts'
import { type GraphBuilder, reshape, turn } from '../graph-builder.ts'
import { axisIn } from '../layout.ts'
import { constantInput, input, type Lowering, type LoweringRow, output, row } from '../lowering.ts'

/** Operators whose results are never negative. */
const COUNTING = /^(ArgMax|ArgMin|TopK|NonZero|Shape|Size)$/

/** Indices that count from the end become those from the front: kernels know only these. */
function indicesOf(graph: GraphBuilder, name: string, size: number): DraftTensor {
  const constant = graph.source.constant(name)
  if (constant !== null) {
    const values = Array.from(constant.data as ArrayLike<number | bigint>, Number)
    const front = Int32Array.from(values, (value) => (value < 0 ? value + size : value))
    need(
      front.every((value) => value >= 0 && value < size),
      `an index of "${name}" lies outside`,
    )
    return graph.constant(name, 'int32', constant.shape, front)
  }
  const given = graph.value(name)
  const maker = graph.source.producer(name)
  if (maker !== undefined && COUNTING.test(maker.opType)) return given
  return pointwise(graph, 'FLOOR_MOD', [given, graph.scalar(size, given)])
}

const GATHERED = ['FLOAT32', 'INT32', 'INT64', 'INT8', 'UINT8', 'BOOL', 'INT16']

const gather: Lowering = (node, graph) => {
  const [name, at] = [input(node, 0), input(node, 1)]
  const shape = graph.shapeOf(name)
  const axis = intOf(node, 'axis', 0)
  const whole = graph.shapeOf(at)
  const home = graph.homeOf(name) ?? 'source'
  // A list of indices leaves the axes as they are; one index, or a table of them, does not.
  const layout = whole.length === 1 ? home : 'source'
  const x = graph.value(name, layout)
  need(GATHERED.includes(x.fields.type), `no kernel takes ${x.fields.type}`)
  const place = axisIn(layout, axis, shape.length)
  const indices = indicesOf(graph, at, shapeOf(x)[place] as number)
  const result = shapeOf(x).toSpliced(place, 1, ...whole)
  graph.give(
    output(node),
    layout,
    graph.compute('GATHER', [x, indices], result, { axis: place, batchDims: 0 }),
  )
}

/** How far along `axis` each place of `shape` is: [...shape, 1]. */
function placesAlong(graph: GraphBuilder, shape: readonly number[], axis: number): DraftTensor {
  const inner = sizeOf(shape.slice(axis + 1))
  const values = Int32Array.from(
    { length: sizeOf(shape) },
    (_, at) => Math.floor(at / inner) % (shape[axis] as number),
  )
  return graph.constant('places', 'int32', [...shape, 1], values)
}

/** Coordinates of each place of `shape`, with the given ones along `axis`: [...shape, rank]. */
function coordinates(graph: GraphBuilder, indices: DraftTensor, axis: number): DraftTensor {
  const shape = shapeOf(indices)
  const columns = shape.map((_, i) =>
    i === axis
      ? reshape(graph, cast(graph, indices, 'INT32'), [...shape, 1])
      : placesAlong(graph, shape, i),
  )
  return concat(graph, columns, shape.length)
}

const gatherElements: Lowering = (node, graph) => {
  const [name, at] = [input(node, 0), input(node, 1)]
  const rank = graph.shapeOf(name).length
  const axis = axisIn('source', intOf(node, 'axis', 0), rank)
  const indices = indicesOf(graph, at, graph.shapeOf(name)[axis] as number)
  const places = coordinates(graph, indices, axis)
  graph.give(
    output(node),
    'source',
    graph.compute('GATHER_ND', [graph.value(name), places], shapeOf(indices)),
  )
}

/** Index tuples from the front. */
function tuplesOf(graph: GraphBuilder, name: string, sizes: readonly number[]): DraftTensor {
  const shape = graph.shapeOf(name)
  const depth = shape.at(-1) as number
  const constant = graph.source.constant(name)
  if (constant !== null) {
    const values = Array.from(constant.data as ArrayLike<number | bigint>, Number)
    const front = values.map((value, i) =>
      value < 0 ? value + (sizes[i % depth] as number) : value,
    )
    return graph.constant(name, 'int32', shape, Int32Array.from(front))
  }
  const given = cast(graph, graph.value(name), 'INT32')
  return pointwise(graph, 'FLOOR_MOD', [given, graph.int32s('sizes', sizes.slice(0, depth))])
}

/** Batches that both have become coordinates before the others: the kernel counts from the front. */
const gatherNd: Lowering = (node, graph) => {
  const [name, at] = [input(node, 0), input(node, 1)]
  const x = graph.value(name)
  const batches = intOf(node, 'batch_dims', 0)
  const tuples = tuplesOf(graph, at, shapeOf(x).slice(batches))
  const places = shapeOf(tuples).slice(0, -1)
  const ofBatches = places.slice(0, batches).map((_, axis) => placesAlong(graph, places, axis))
  const indices = concat(graph, [...ofBatches, tuples], places.length)
  graph.give(
    output(node),
    'source',
    graph.compute('GATHER_ND', [x, indices], graph.shapeOf(output(node))),
  )
}

/** Where indices lead, the updates; elsewhere what was there. Places named twice have no defined result in ONNX either. */
function scattered(
  graph: GraphBuilder,
  data: DraftTensor,
  indices: DraftTensor,
  updates: DraftTensor,
): DraftTensor {
  const shape = shapeOf(data)
  const size = graph.int32s('shape', shape)
  const put = graph.compute('SCATTER_ND', [indices, updates, size], shape, {}, updates.fields.type)
  const ones = graph.constant(
    'ones',
    'int32',
    shapeOf(updates),
    new Int32Array(sizeOf(shapeOf(updates))).fill(1),
  )
  const count = graph.compute('SCATTER_ND', [indices, ones, size], shape, {}, 'INT32')
  const touched = pointwise(graph, 'GREATER', [count, graph.scalar(0, 'int32')], {}, 'BOOL')
  return pointwise(graph, 'SELECT_V2', [touched, put, data], {}, data.fields.type)
}

function added(
  graph: GraphBuilder,
  data: DraftTensor,
  indices: DraftTensor,
  updates: DraftTensor,
): DraftTensor {
  const shape = shapeOf(data)
  return add(
    graph,
    data,
    graph.compute(
      'SCATTER_ND',
      [indices, updates, graph.int32s('shape', shape)],
      shape,
      {},
      updates.fields.type,
    ),
  )
}

function scatter(elements: boolean): Lowering {
  return (node, graph) => {
    const data = graph.value(input(node, 0))
    const axis = axisIn('source', intOf(node, 'axis', 0), shapeOf(data).length)
    const indices = elements
      ? coordinates(graph, indicesOf(graph, input(node, 1), shapeOf(data)[axis] as number), axis)
      : tuplesOf(graph, input(node, 1), shapeOf(data))
    const put = stringOf(node, 'reduction', 'none') === 'add' ? added : scattered
    graph.give(output(node), 'source', put(graph, data, indices, graph.value(input(node, 2))))
  }
}

const knownReduction = (node: OnnxNode) => {
  const reduction = stringOf(node, 'reduction', 'none')
  return reduction === 'none' || reduction === 'add'
    ? null
    : `no kernel scatters with reduction "${reduction}"`
}

/** The kernel finds the largest of the last axis; the smallest are the largest of the negated. */
const topK: Lowering = (node, graph) => {
  const name = input(node, 0)
  const rank = graph.shapeOf(name).length
  const axis = axisIn('source', intOf(node, 'axis', -1), rank)
  const k = graph.source.integers(input(node, 1))?.[0] ?? 1
  const smallest = intOf(node, 'largest', 1) === 0
  const swap = Array.from({ length: rank }, (_, i) =>
    i === axis ? rank - 1 : i === rank - 1 ? axis : i,
  )
  const x = turn(graph, graph.value(name), swap)
  need(x.fields.type === 'FLOAT32' || x.fields.type === 'INT32', `no kernel takes ${x.fields.type}`)
  const given = smallest ? pointwise(graph, 'NEG', [x]) : x
  const shape = shapeOf(x).with(-1, k)
  const results = [graph.fresh(x.fields.type, shape, x), graph.fresh('INT32', shape, x)] as const
  graph.operator('TOPK_V2', [given, graph.scalar(k, 'int32')], results)
  const values = smallest ? pointwise(graph, 'NEG', [results[0]]) : results[0]
  if (output(node) !== '') graph.give(output(node), 'source', turn(graph, values, swap))
  if (output(node, 1) !== '')
    graph.give(output(node, 1), 'source', turn(graph, cast(graph, results[1], 'INT64'), swap))
}

const oneHot: Lowering = (node, graph) => {
  const depth = graph.source.integers(input(node, 1))?.[0] ?? 1
  const values = graph.source.constant(input(node, 2))
  const shape = graph.shapeOf(output(node))
  const axis = axisIn('source', intOf(node, 'axis', -1), shape.length)
  const [off = 0, on = 1] = Array.from(values?.data as ArrayLike<number | bigint>, Number)
  const type = graph.source.typeOf(output(node))
  const indices = pointwise(graph, 'FLOOR_MOD', [
    cast(graph, graph.value(input(node, 0)), 'INT32'),
    graph.scalar(depth, 'int32'),
  ])
  const inputs = [
    indices,
    graph.scalar(depth, 'int32'),
    graph.scalar(on, type),
    graph.scalar(off, type),
  ]
  graph.give(
    output(node),
    'source',
    graph.compute(
      'ONE_HOT',
      inputs,
      shape,
      { axis: axis === shape.length - 1 ? -1 : axis },
      type.toUpperCase(),
    ),
  )
}

/** A table that a few numbers unfold into, where it is computed when the model runs. */
const range: Lowering = (node, graph) => {
  const [start, , step] = [0, 1, 2].map((at) => graph.source.constant(input(node, at)))
  need(
    start !== null && step !== null && start !== undefined && step !== undefined,
    'its bounds are computed when the model runs',
  )
  const [count = 0] = graph.shapeOf(output(node))
  const type = graph.source.typeOf(output(node))
  const values = Array.from(
    { length: count },
    (_, i) => Number(start.data[0]) + i * Number(step.data[0]),
  )
  const data =
    type === 'int64'
      ? BigInt64Array.from(values, BigInt)
      : type === 'int32'
        ? Int32Array.from(values)
        : Float32Array.from(values)
  graph.give(output(node), 'source', graph.constant(output(node), type, [count], data))
}

export const GATHERS: Readonly<Record<string, LoweringRow>> = {
  Gather: row(gather),
  GatherElements: row(gatherElements),
  GatherND: row(gatherNd),
  ScatterND: row(scatter(false), knownReduction),
  ScatterElements: row(scatter(true), knownReduction),
  TopK: row(topK, constantInput(1, 'count'), (node) =>
    intOf(node, 'sorted', 1) === 1 ? null : 'its results are in no order',
  ),
  OneHot: row(
    oneHot,
    (node, { source }) =>
      /^int/.test(source.typeOf(input(node, 0))) ? null : 'its indices are no integers',
    constantInput(1, 'depth'),
    constantInput(2, 'values'),
  ),
  Range: row(range),
}
