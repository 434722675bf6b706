import { intOf, intsOf, stringOf } from '../../../onnx/source.ts'
import type { DraftTensor } from '../../draft.ts'
import { concat, pointwise, shapeOf } from '../emit.ts'
import { need } from '../errors.ts'
import { type GraphBuilder, reshape, sameShape, turn } from '../graph-builder.ts'
import { axisIn, hasChannels, type Layout, perAxisIn, toLast } from '../layout.ts'
import {
  cheapestLayout,
  constantInput,
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
  Expand: row(expand, constantInput(1, 'shape')),
  Tile: row(tile, constantInput(1, 'repetition')),
  DepthToSpace: row(depthToSpace),
  SpaceToDepth: row(spaceToDepth),
  Trilu: row(trilu, constantInput(1, 'diagonal')),
  ReverseSequence: row(reverseSequence),
}
