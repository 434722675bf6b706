import type { OnnxNode } from '../../../onnx/index.ts'
import { intOf } from '../../../onnx/source.ts'
import type { DraftTensor } from '../../draft.ts'
import { add, concat, counting, mul, rowsAt, shapeOf, slice, sub } from '../emit.ts'
import { type GraphBuilder, reshape } from '../graph-builder.ts'
import { hasInput, input, type Lowering, type LoweringRow, output, row } from '../lowering.ts'
import { joinHeads, splitHeads } from './attention.ts'

/** Turns pairs of numbers by an angle per place (Su et al. 2021): as halves of a row, or as neighbours. */
function rotary(positions: { cos: number; sin: number; ids: number }): Lowering {
  return (node, graph) => {
    const given = graph.value(input(node, 0))
    const shape = shapeOf(given)
    const is3d = shape.length === 3
    const cache = graph.shapeOf(input(node, positions.cos)).at(-1) as number
    const heads = is3d ? headCount(node, shape[2] as number, 2 * cache) : (shape[1] as number)
    const x = is3d ? splitHeads(graph, given, heads) : given
    const [batch = 1, , rows = 1, width = 1] = shapeOf(x)
    const turned = intOf(node, 'rotary_embedding_dim', 0) || width
    const [cos, sin] = [positions.cos, positions.sin].map((at) =>
      angles(node, graph, { at, ids: positions.ids, batch, rows, half: turned / 2 }),
    ) as [DraftTensor, DraftTensor]
    const part = (begin: number, size: number) =>
      slice(graph, x, [0, 0, 0, begin], [batch, heads, rows, size])
    const first = part(0, turned)
    const spun =
      intOf(node, 'interleaved', 0) === 1
        ? neighbours(graph, first, cos, sin)
        : halves(graph, first, cos, sin)
    const result = turned === width ? spun : concat(graph, [spun, part(turned, width - turned)], 3)
    graph.give(output(node), 'source', is3d ? joinHeads(graph, result) : result)
  }
}

function headCount(node: OnnxNode, whole: number, width: number): number {
  return intOf(node, 'num_heads', 0) || whole / width
}

interface Angles {
  readonly at: number
  readonly ids: number
  readonly batch: number
  readonly rows: number
  readonly half: number
}

/** [batch, 1, rows, half]: of each place by its number, or as they are given. */
function angles(
  node: OnnxNode,
  graph: GraphBuilder,
  { at, ids, batch, rows, half }: Angles,
): DraftTensor {
  const cache = graph.value(input(node, at))
  if (!hasInput(node, ids)) return reshape(graph, cache, [batch, 1, rows, half])
  const places = graph.value(input(node, ids))
  const isStart = shapeOf(places).length === 1
  const type = places.fields.type === 'INT64' ? 'int64' : 'int32'
  const each = isStart ? add(graph, counting(graph, rows, type), places) : places
  return reshape(graph, rowsAt(graph, cache, each), [shapeOf(each)[0] as number, 1, rows, half])
}

function spin(
  graph: GraphBuilder,
  [a, b]: readonly [DraftTensor, DraftTensor],
  cos: DraftTensor,
  sin: DraftTensor,
): [DraftTensor, DraftTensor] {
  return [
    sub(graph, mul(graph, a, cos), mul(graph, b, sin)),
    add(graph, mul(graph, a, sin), mul(graph, b, cos)),
  ]
}

function halves(
  graph: GraphBuilder,
  x: DraftTensor,
  cos: DraftTensor,
  sin: DraftTensor,
): DraftTensor {
  const [batch = 1, heads = 1, rows = 1, width = 1] = shapeOf(x)
  const side = (begin: number) => slice(graph, x, [0, 0, 0, begin], [batch, heads, rows, width / 2])
  return concat(graph, spin(graph, [side(0), side(width / 2)], cos, sin), 3)
}

function neighbours(
  graph: GraphBuilder,
  x: DraftTensor,
  cos: DraftTensor,
  sin: DraftTensor,
): DraftTensor {
  const shape = shapeOf(x)
  const [batch = 1, heads = 1, rows = 1, width = 1] = shape
  const pairs = reshape(graph, x, [batch * heads * rows, width / 2, 2])
  const side = (at: number) =>
    reshape(graph, slice(graph, pairs, [0, 0, at], [batch * heads * rows, width / 2, 1]), [
      ...shape.slice(0, 3),
      width / 2,
    ])
  const spun = spin(graph, [side(0), side(1)], cos, sin).map((one) =>
    reshape(graph, one, [batch * heads * rows, width / 2, 1]),
  )
  return reshape(graph, concat(graph, spun, 2), shape)
}

export const ROTARY: Readonly<Record<string, LoweringRow>> = {
  RotaryEmbedding: row(rotary({ cos: 1, sin: 2, ids: 3 })),
  'com.microsoft.RotaryEmbedding': row(rotary({ ids: 1, cos: 2, sin: 3 }), (node) =>
    intOf(node, 'is_packed_batching', 0) === 0 ? null : 'it packs samples of several lengths',
  ),
}
