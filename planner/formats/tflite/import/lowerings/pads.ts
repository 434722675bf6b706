import type { OnnxNode } from '../../../onnx/index.ts'
import { stringOf } from '../../../onnx/source.ts'
import type { DraftTensor } from '../../draft.ts'
import { pad, shapeOf } from '../emit.ts'
import { need } from '../errors.ts'
import { type GraphBuilder, reshape } from '../graph-builder.ts'
import { perAxisIn } from '../layout.ts'
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

import { stridedSlice } from './slices.ts'

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

export const PADS: Readonly<Record<string, LoweringRow>> = {
  Pad: row(padded, constantInput(1, 'padding'), constantInput(3, 'axes')),
}
