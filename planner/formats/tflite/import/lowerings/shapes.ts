import type { OnnxNode } from '../../../onnx/index.ts'
import { intOf, intsOf, stringOf } from '../../../onnx/source.ts'
import type { DraftTensor } from '../../draft.ts'
import { concat, pad, pointwise, shapeOf, slice } from '../emit.ts'
import { need } from '../errors.ts'
import { type GraphBuilder, reshape, sameShape, turn } from '../graph-builder.ts'
import { axisIn, hasChannels, type Layout, perAxisIn, toLast } from '../layout.ts'
import {
  cheapestLayout,
  constantInput,
  hasInput,
  input,
  type Lowering,
  type LoweringRow,
  output,
  row,
} from '../lowering.ts'

/** Same elements, another shape: Reshape, Flatten, Squeeze and Unsqueeze alike. */
const reshaped: Lowering = (node, graph) => {
  const name = input(node, 0)
  const [from, to] = [graph.shapeOf(name), graph.shapeOf(output(node))]
  // What only regroups pixels leaves channels last.
  const keeps =
    hasChannels(from.length) && hasChannels(to.length) && from[0] === to[0] && from[1] === to[1]
  const layout = keeps && graph.homeOf(name) === 'channels-last' ? 'channels-last' : 'source'
  graph.give(output(node), layout, reshape(graph, graph.value(name, layout), perAxisIn(layout, to)))
}

/** From where the value is to where nothing needs to move, if there is such a layout. */
const transpose: Lowering = (node, graph) => {
  const name = input(node, 0)
  const rank = graph.shapeOf(name).length
  const perm = intsOf(node, 'perm') ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis)
  const home = graph.homeOf(name) ?? 'source'
  const from = graph.value(name, home)
  // Result axis i is source axis perm[i], which stands in `home` at axisIn(home, perm[i]).
  const order = perm.map((axis) => axisIn(home, axis, rank))
  const still = (layout: Layout) => {
    const wanted = layout === 'source' ? order : toLast(rank).map((axis) => order[axis] as number)
    return wanted.every((axis, i) => axis === i)
  }
  if (hasChannels(rank) && still('channels-last'))
    return graph.give(output(node), 'channels-last', from)
  graph.give(output(node), 'source', turn(graph, from, order))
}

const concatenate: Lowering = (node, graph) => {
  const shape = graph.shapeOf(output(node))
  const layout = cheapestLayout(graph, node.input, shape.length)
  const whole = node.input.filter((name) => !graph.shapeOf(name).includes(0))
  const parts = whole.map((name) => graph.value(name, layout))
  graph.give(
    output(node),
    layout,
    concat(graph, parts, axisIn(layout, intOf(node, 'axis', 0), shape.length)),
  )
}

const split: Lowering = (node, graph) => {
  const name = input(node, 0)
  const rank = graph.shapeOf(name).length
  const layout = cheapestLayout(graph, [name], rank)
  const axis = axisIn(layout, intOf(node, 'axis', 0), rank)
  const from = graph.value(name, layout)
  const shapes = node.output.map((one) => perAxisIn(layout, graph.shapeOf(one)))
  const sizes = shapes.map((shape) => shape[axis] as number)
  const parts = shapes.map((shape) => graph.fresh(from.fields.type, shape, from))
  const along = graph.constant('axis', 'int32', [], Int32Array.of(axis))
  if (parts.length === 1) parts[0] = from
  else if (sizes.every((size) => size === sizes[0])) {
    graph.operator('SPLIT', [along, from], parts, { numSplits: parts.length })
  } else {
    const inputs = [from, graph.int32s('sizes', sizes), along]
    graph.operator('SPLIT_V', inputs, parts, { numSplits: parts.length })
  }
  for (const [i, part] of parts.entries()) graph.give(output(node, i), layout, part)
}

interface Range {
  readonly begin: number
  readonly step: number
  readonly count: number
}

/** What Slice takes along each axis (onnx, Operators: Slice, with its clamping). */
function rangesOf(node: OnnxNode, graph: GraphBuilder): Range[] {
  const shape = graph.shapeOf(input(node, 0))
  const [starts = [], ends = [], given, stepsGiven] = [1, 2, 3, 4].map(
    (at) => graph.source.integers(input(node, at)) ?? undefined,
  )
  const axes = given ?? starts.map((_, i) => i)
  const steps = stepsGiven ?? starts.map(() => 1)
  const ranges = shape.map((size): Range => ({ begin: 0, step: 1, count: size }))
  for (const [i, axis] of axes.entries()) {
    const at = axis < 0 ? axis + shape.length : axis
    const size = shape[at] as number
    const step = steps[i] as number
    const clamp = (value: number, low: number, high: number) =>
      Math.min(high, Math.max(low, value < 0 ? value + size : value))
    const begin =
      step > 0 ? clamp(starts[i] as number, 0, size) : clamp(starts[i] as number, 0, size - 1)
    const end =
      step > 0 ? clamp(ends[i] as number, 0, size) : clamp(ends[i] as number, -1, size - 1)
    ranges[at] = { begin, step, count: Math.max(0, Math.ceil((end - begin) / step)) }
  }
  return ranges
}

const sliced: Lowering = (node, graph) => {
  const name = input(node, 0)
  const shape = graph.shapeOf(name)
  const layout = cheapestLayout(graph, [name], shape.length)
  const ranges = perAxisIn(layout, rangesOf(node, graph))
  const sizes = ranges.map(({ count }) => count)
  need(!sizes.includes(0), 'it takes nothing: its result has no elements')
  graph.give(output(node), layout, stridedSlice(graph, graph.value(name, layout), ranges))
}

/** Ranks up to which the kernel slices. */
const SLICE_RANK = 5

export function stridedSlice(
  graph: GraphBuilder,
  from: DraftTensor,
  ranges: readonly Range[],
): DraftTensor {
  const sizes = ranges.map(({ count }) => count)
  const shape = shapeOf(from)
  if (
    ranges.every(
      ({ begin, step, count }, axis) => begin === 0 && step === 1 && count === shape[axis],
    )
  )
    return from
  if (shape.length > SLICE_RANK) return slicedInPieces(graph, from, ranges)
  const steps = ranges.map(({ step }) => step)
  if (steps.every((step) => step === 1)) {
    return slice(
      graph,
      from,
      ranges.map(({ begin }) => begin),
      sizes,
    )
  }
  const ends = ranges.map(({ begin, step, count }) => begin + step * count)
  // An end before the first element cannot be written: from the end, −1 would be the last one.
  const endMask = ends.reduce((mask, end, axis) => (end < 0 ? mask | (1 << axis) : mask), 0)
  const inputs = [
    from,
    graph.int32s(
      'begin',
      ranges.map(({ begin }) => begin),
    ),
    graph.int32s(
      'end',
      ends.map((end) => Math.max(0, end)),
    ),
    graph.int32s('strides', steps),
  ]
  const masks = {
    beginMask: 0,
    endMask,
    ellipsisMask: 0,
    newAxisMask: 0,
    shrinkAxisMask: 0,
    offset: false,
  }
  return graph.compute('STRIDED_SLICE', inputs, sizes, masks)
}

/** Axis by axis, all others in two groups. */
function slicedInPieces(
  graph: GraphBuilder,
  from: DraftTensor,
  ranges: readonly Range[],
): DraftTensor {
  return ranges.reduce((value, range, axis) => {
    const shape = shapeOf(value)
    const size = shape[axis] as number
    if (range.begin === 0 && range.step === 1 && range.count === size) return value
    const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1)
    const [before, after] = [product(shape.slice(0, axis)), product(shape.slice(axis + 1))]
    const all = (count: number): Range => ({ begin: 0, step: 1, count })
    const cut = stridedSlice(graph, reshape(graph, value, [before, size, after]), [
      all(before),
      range,
      all(after),
    ])
    return reshape(graph, cut, shape.with(axis, range.count))
  }, from)
}

const expand: Lowering = (node, graph) => {
  const name = input(node, 0)
  const shape = graph.shapeOf(output(node))
  const layout =
    graph.shapeOf(name).length === shape.length
      ? cheapestLayout(graph, [name], shape.length)
      : 'source'
  const from = graph.value(name, layout)
  graph.give(output(node), layout, broadcastTo(graph, from, perAxisIn(layout, shape)))
}

export function broadcastTo(
  graph: GraphBuilder,
  from: DraftTensor,
  shape: readonly number[],
): DraftTensor {
  if (sameShape(shapeOf(from), shape)) return from
  need(
    ['FLOAT32', 'INT32', 'INT64', 'BOOL', 'INT8', 'UINT8', 'INT16'].includes(from.fields.type),
    `no kernel repeats ${from.fields.type}`,
  )
  return graph.compute('BROADCAST_TO', [from, graph.int32s('shape', shape)], shape)
}

const tile: Lowering = (node, graph) => {
  const name = input(node, 0)
  const shape = graph.shapeOf(name)
  const layout = cheapestLayout(graph, [name], shape.length)
  const times = perAxisIn(layout, graph.source.integers(input(node, 1)) ?? [])
  const from = graph.value(name, layout)
  const sizes = shapeOf(from).map((size, axis) => size * (times[axis] as number))
  if (sameShape(sizes, shapeOf(from))) return graph.give(output(node), layout, from)
  graph.give(
    output(node),
    layout,
    graph.compute('TILE', [from, graph.int32s('times', times)], sizes),
  )
}

const padded: Lowering = (node, graph) => {
  const name = input(node, 0)
  const rank = graph.shapeOf(name).length
  const layout = cheapestLayout(graph, [name], rank)
  const pairs = padPairs(node, graph, rank)
  const from = graph.value(name, layout)
  const mode = stringOf(node, 'mode', 'constant')
  graph.give(
    output(node),
    layout,
    PAD_MODES[mode]?.(graph, from, perAxisIn(layout, pairs), node) ?? unknownMode(mode),
  )
}

function unknownMode(mode: string): never {
  need(false, `no kernel pads in mode "${mode}"`)
  throw new Error('unreachable')
}

type Pairs = readonly (readonly [number, number])[]

function padPairs(
  node: OnnxNode,
  graph: GraphBuilder,
  rank: number,
): (readonly [number, number])[] {
  const pads = graph.source.integers(input(node, 1)) ?? []
  const axes =
    graph.source.integers(input(node, 3)) ?? Array.from({ length: rank }, (_, axis) => axis)
  const pairs = Array.from({ length: rank }, () => [0, 0] as readonly [number, number])
  for (const [i, axis] of axes.entries()) {
    pairs[axis < 0 ? axis + rank : axis] = [pads[i] as number, pads[i + axes.length] as number]
  }
  return pairs
}

/** Negative pads cut. */
function cut(graph: GraphBuilder, from: DraftTensor, pairs: Pairs): DraftTensor {
  const ranges = shapeOf(from).map((size, axis) => {
    const [before, after] = pairs[axis] as readonly [number, number]
    const begin = Math.max(0, -before)
    return { begin, step: 1, count: size - begin - Math.max(0, -after) }
  })
  return stridedSlice(graph, from, ranges)
}

const PAD_MODES: Readonly<
  Record<
    string,
    (graph: GraphBuilder, from: DraftTensor, pairs: Pairs, node: OnnxNode) => DraftTensor
  >
> = {
  constant(graph, from, pairs, node) {
    const value = hasInput(node, 2) ? graph.source.constant(input(node, 2)) : { data: [0] }
    need(value !== null, 'its value is computed when the model runs')
    const positive = pairs.map(
      ([before, after]) => [Math.max(0, before), Math.max(0, after)] as const,
    )
    return padInGroups(graph, cut(graph, from, pairs), positive, Number(value.data[0]))
  },
  reflect(graph, from, pairs) {
    const rank = pairs.length
    const whole = cut(graph, from, pairs)
    const positive = pairs.map(([before, after]) => [Math.max(0, before), Math.max(0, after)])
    const shape = shapeOf(whole).map(
      (size, axis) => size + (positive[axis]?.[0] ?? 0) + (positive[axis]?.[1] ?? 0),
    )
    const paddings = graph.constant(
      'paddings',
      'int32',
      [rank, 2],
      Int32Array.from(positive.flat()),
    )
    return graph.compute('MIRROR_PAD', [whole, paddings], shape, { mode: 'REFLECT' })
  },
  edge: (graph, from, pairs) =>
    gathered(graph, from, pairs, (at, size) => Math.min(size - 1, Math.max(0, at))),
  wrap: (graph, from, pairs) =>
    gathered(graph, from, pairs, (at, size) => ((at % size) + size) % size),
}

/** Each padded axis by the indices that its places repeat. */
function gathered(
  graph: GraphBuilder,
  from: DraftTensor,
  pairs: Pairs,
  source: (at: number, size: number) => number,
): DraftTensor {
  return pairs.reduce((value, [before, after], axis) => {
    if (before === 0 && after === 0) return value
    const size = shapeOf(value)[axis] as number
    const indices = Array.from({ length: before + size + after }, (_, at) =>
      source(at - before, size),
    )
    const shape = shapeOf(value).with(axis, indices.length)
    return graph.compute('GATHER', [value, graph.int32s('indices', indices)], shape, {
      axis,
      batchDims: 0,
    })
  }, from)
}

/** Ranks up to which the kernel pads: neighbours that are not padded become one axis. */
const PAD_RANK = 4

function padInGroups(
  graph: GraphBuilder,
  from: DraftTensor,
  pairs: Pairs,
  value: number,
): DraftTensor {
  if (pairs.length <= PAD_RANK) return pad(graph, from, pairs, value)
  const shape = shapeOf(from)
  const groups: { size: number; pair: readonly [number, number] }[] = []
  for (const [axis, pair] of pairs.entries()) {
    const last = groups.at(-1)
    const still = pair[0] === 0 && pair[1] === 0
    if (still && last && last.pair[0] === 0 && last.pair[1] === 0)
      last.size *= shape[axis] as number
    else groups.push({ size: shape[axis] as number, pair })
  }
  need(groups.length <= 5, `it pads ${groups.length} axes apart`)
  const merged = reshape(
    graph,
    from,
    groups.map(({ size }) => size),
  )
  const result = pad(
    graph,
    merged,
    groups.map(({ pair }) => pair),
    value,
  )
  return reshape(
    graph,
    result,
    shape.map((size, axis) => size + (pairs[axis]?.[0] ?? 0) + (pairs[axis]?.[1] ?? 0)),
  )
}

const depthToSpace: Lowering = (node, graph) => {
  const block = intOf(node, 'blocksize', 1)
  const shape = graph.shapeOf(output(node))
  const [batch = 1, channels = 1, height = 1, width = 1] = shape
  const data = graph.value(input(node, 0), 'channels-last')
  const crd = stringOf(node, 'mode', 'DCR') === 'CRD'
  // CRD counts channels first and the block's places behind them; the kernel has them the other way round.
  const places = block * block
  const order = Array.from(
    { length: channels * places },
    (_, at) => (at % channels) * places + Math.floor(at / channels),
  )
  const ordered =
    crd && channels > 1
      ? graph.compute('GATHER', [data, graph.int32s('channels', order)], shapeOf(data), {
          axis: 3,
          batchDims: 0,
        })
      : data
  graph.give(
    output(node),
    'channels-last',
    graph.compute('DEPTH_TO_SPACE', [ordered], [batch, height, width, channels], {
      blockSize: block,
    }),
  )
}

const spaceToDepth: Lowering = (node, graph) => {
  const [batch = 1, channels = 1, height = 1, width = 1] = graph.shapeOf(output(node))
  const data = graph.value(input(node, 0), 'channels-last')
  const result = graph.compute('SPACE_TO_DEPTH', [data], [batch, height, width, channels], {
    blockSize: intOf(node, 'blocksize', 1),
  })
  graph.give(output(node), 'channels-last', result)
}

/** Places of the main diagonal's triangle are known beforehand. */
const trilu: Lowering = (node, graph) => {
  const name = input(node, 0)
  const shape = graph.shapeOf(name)
  const [rows = 1, columns = 1] = shape.slice(-2)
  const k = graph.source.integers(input(node, 1))?.[0] ?? 0
  const upper = intOf(node, 'upper', 1) === 1
  const kept = Uint8Array.from({ length: rows * columns }, (_, at) => {
    const distance = (at % columns) - Math.floor(at / columns)
    return Number(upper ? distance >= k : distance <= k)
  })
  const x = graph.value(name)
  const mask = graph.constant('triangle', 'bool', [rows, columns], kept)
  graph.give(
    output(node),
    'source',
    pointwise(graph, 'SELECT_V2', [mask, x, graph.scalar(0, x)], {}, x.fields.type),
  )
}

const reverseSequence: Lowering = (node, graph) => {
  const x = graph.value(input(node, 0))
  const [seqDim, batchDim] = [intOf(node, 'time_axis', 0), intOf(node, 'batch_axis', 1)]
  const lengths = graph.value(input(node, 1))
  graph.give(
    output(node),
    'source',
    graph.compute('REVERSE_SEQUENCE', [x, lengths], shapeOf(x), { seqDim, batchDim }),
  )
}

export const SHAPES: Readonly<Record<string, LoweringRow>> = {
  Reshape: row(reshaped, constantInput(1, 'shape')),
  Flatten: row(reshaped),
  Squeeze: row(reshaped),
  Unsqueeze: row(reshaped),
  Transpose: row(transpose),
  Concat: row(concatenate),
  Split: row(split, constantInput(1, 'list of sizes')),
  Slice: row(
    sliced,
    constantInput(1, 'begin'),
    constantInput(2, 'end'),
    constantInput(3, 'axes'),
    constantInput(4, 'steps'),
  ),
  Expand: row(expand, constantInput(1, 'shape')),
  Tile: row(tile, constantInput(1, 'repetition')),
  Pad: row(padded, constantInput(1, 'padding'), constantInput(3, 'axes')),
  DepthToSpace: row(depthToSpace),
  SpaceToDepth: row(spaceToDepth),
  Trilu: row(trilu, constantInput(1, 'diagonal')),
  ReverseSequence: row(reverseSequence),
}
