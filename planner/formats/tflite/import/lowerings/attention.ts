import { sizeOf } from '../../../../../shared/tensors.ts'
import type { OnnxNode } from '../../../onnx/index.ts'
import { floatOf, intOf, intsOf } from '../../../onnx/source.ts'
import type { DraftTensor } from '../../draft.ts'
import { add, concat, counting, dense, div, mul, pointwise, shapeOf, slice } from '../emit.ts'
import { need } from '../errors.ts'
import { type GraphBuilder, reshape, turn } from '../graph-builder.ts'
import {
  type Constraint,
  hasInput,
  input,
  type Lowering,
  type LoweringRow,
  output,
  row,
} from '../lowering.ts'
import { batchMatmul } from './matrices.ts'

/** Far below every score, and still far from where float32 ends. */
const MASKED = -1e30

/** [batch, heads, rows, width] each; as many heads of keys and values, or a divisor of them. */
interface Heads {
  readonly query: DraftTensor
  readonly key: DraftTensor
  readonly value: DraftTensor
}

interface Attending {
  readonly scale: number
  /** Added to the scores, broadcast to [batch, heads, rows, columns]. */
  readonly masks: readonly DraftTensor[]
  readonly softcap?: number
}

/** softmax(query · keyᵀ · scale + masks) · value, over the last axis (Vaswani et al. 2017, 3.2.1). */
function attend(graph: GraphBuilder, heads: Heads, how: Attending): DraftTensor {
  const { query } = heads
  const [key, value] = [heads.key, heads.value].map((one) => repeated(graph, one, query)) as [
    DraftTensor,
    DraftTensor,
  ]
  const scores = batchMatmul(graph, mul(graph, query, graph.scalar(how.scale)), key, true)
  const capped = how.softcap ? softCapped(graph, scores, how.softcap) : scores
  const masked = how.masks.reduce((sum, mask) => add(graph, sum, mask), capped)
  const weights = graph.compute('SOFTMAX', [masked], shapeOf(masked), { beta: 1 })
  return batchMatmul(graph, weights, value)
}

function softCapped(graph: GraphBuilder, scores: DraftTensor, cap: number): DraftTensor {
  const bent = pointwise(graph, 'TANH', [div(graph, scores, graph.scalar(cap))])
  return mul(graph, bent, graph.scalar(cap))
}

/** Each head of keys or values as often as heads of queries share it. */
function repeated(graph: GraphBuilder, one: DraftTensor, query: DraftTensor): DraftTensor {
  const [batch = 1, heads = 1, rows = 1, width = 1] = shapeOf(one)
  const wanted = shapeOf(query)[1] as number
  if (wanted === heads) return one
  need(wanted % heads === 0, `${wanted} heads cannot share ${heads}`)
  const share = wanted / heads
  const flat = reshape(graph, one, [batch * heads, 1, rows * width])
  const wide = concat(graph, new Array<DraftTensor>(share).fill(flat), 1)
  return reshape(graph, wide, [batch, wanted, rows, width])
}

/** [batch, rows, heads · width] → [batch, heads, rows, width] */
export function splitHeads(graph: GraphBuilder, from: DraftTensor, heads: number): DraftTensor {
  const [batch = 1, rows = 1, whole = 1] = shapeOf(from)
  need(whole % heads === 0, `${whole} columns do not divide among ${heads} heads`)
  return turn(graph, reshape(graph, from, [batch, rows, heads, whole / heads]), [0, 2, 1, 3])
}

/** And back. */
export function joinHeads(graph: GraphBuilder, from: DraftTensor): DraftTensor {
  const [batch = 1, heads = 1, rows = 1, width = 1] = shapeOf(from)
  return reshape(graph, turn(graph, from, [0, 2, 1, 3]), [batch, rows, heads * width])
}

/** Row i sees column j where j ≤ i + past. */
function causal(graph: GraphBuilder, rows: number, columns: number, past = 0): DraftTensor {
  const values = Float32Array.from({ length: rows * columns }, (_, at) =>
    at % columns > Math.floor(at / columns) + past ? MASKED : 0,
  )
  return graph.floats('causal', [rows, columns], values)
}

/** What is true, or not 0, is seen; the rest gets `hidden` added. */
function visible(graph: GraphBuilder, mask: DraftTensor, hidden: number): DraftTensor {
  const shape = shapeOf(mask)
  if (mask.data !== null) {
    const width = mask.data.length / Math.max(1, sizeOf(shape))
    const values = Float32Array.from({ length: mask.data.length / width }, (_, i) =>
      mask.data?.subarray(i * width, (i + 1) * width).some((byte) => byte !== 0) ? 0 : hidden,
    )
    return graph.floats('mask', shape, values)
  }
  const seen =
    mask.fields.type === 'BOOL'
      ? mask
      : pointwise(graph, 'NOT_EQUAL', [mask, graph.scalar(0, mask)], {}, 'BOOL')
  return pointwise(graph, 'SELECT_V2', [seen, graph.scalar(0), graph.scalar(hidden)], {}, 'FLOAT32')
}

/** onnx, Operators: Attention. */
const attention: Lowering = (node, graph) => {
  const is3d = graph.shapeOf(input(node, 0)).length === 3
  const headsOf = (position: number, attribute: string) => {
    const given = graph.value(input(node, position))
    return is3d ? splitHeads(graph, given, intOf(node, attribute, 1)) : given
  }
  const query = headsOf(0, 'q_num_heads')
  const fresh = [headsOf(1, 'kv_num_heads'), headsOf(2, 'kv_num_heads')] as const
  const [key, value] = fresh.map((one, i) =>
    hasInput(node, 4 + i) ? concat(graph, [graph.value(input(node, 4 + i)), one], 2) : one,
  ) as [DraftTensor, DraftTensor]
  const [rows = 1, width = 1] = shapeOf(query).slice(2)
  const columns = shapeOf(key)[2] as number
  const past = columns - (shapeOf(fresh[0])[2] as number)
  const masks = [
    ...(hasInput(node, 3) ? [maskOf(graph, input(node, 3), columns)] : []),
    ...(intOf(node, 'is_causal', 0) === 1 ? [causal(graph, rows, columns, past)] : []),
  ]
  const scale = floatOf(node, 'scale', 1 / Math.sqrt(width))
  const softcap = floatOf(node, 'softcap', 0)
  const result = attend(graph, { query, key, value }, { scale, masks, softcap })
  graph.give(output(node), 'source', is3d ? joinHeads(graph, result) : result)
  for (const [i, state] of [key, value].entries())
    if (output(node, 1 + i) !== '') graph.give(output(node, 1 + i), 'source', state)
}

function maskOf(graph: GraphBuilder, name: string, columns: number): DraftTensor {
  const mask = graph.value(name)
  need(shapeOf(mask).at(-1) === columns, 'its mask is shorter than what it masks')
  return mask.fields.type === 'BOOL' ? visible(graph, mask, MASKED) : mask
}

/** Queries, keys and values from one product (onnxruntime, ContribOperators: Attention). */
const packed: Lowering = (node, graph) => {
  const weights = graph.source.constant(input(node, 1))
  need(weights !== null, 'its weights are computed when the model runs')
  const [, whole = 1] = weights.shape
  const sizes = intsOf(node, 'qkv_hidden_sizes') ?? [whole / 3, whole / 3, whole / 3]
  const bias = hasInput(node, 2) ? graph.value(input(node, 2)) : null
  const x = graph.value(input(node, 0))
  const [batch = 1, rows = 1] = shapeOf(x)
  const product = dense(graph, x, graph.reordered(input(node, 1), [1, 0]), bias)
  const heads = intOf(node, 'num_heads', 1)
  const parts = sizes.map((size, i) => {
    const begin = sizes.slice(0, i).reduce((a, b) => a + b, 0)
    return splitHeads(graph, slice(graph, product, [0, 0, begin], [batch, rows, size]), heads)
  }) as [DraftTensor, DraftTensor, DraftTensor]
  const masks = contribMasks(node, graph, { padding: 3, bias: 5, rows, columns: rows })
  const width = shapeOf(parts[0])[3] as number
  const [query, key, value] = parts
  const result = attend(graph, { query, key, value }, { scale: scaleOf(node, width), masks })
  graph.give(output(node), 'source', joinHeads(graph, result))
}

/** onnxruntime, ContribOperators: MultiHeadAttention. */
const multiHead: Lowering = (node, graph) => {
  const heads = intOf(node, 'num_heads', 1)
  const biases = hasInput(node, 3) ? graph.value(input(node, 3)) : null
  let begin = 0
  const headsOf = (position: number) => {
    const given = graph.value(input(node, position))
    if (shapeOf(given).length === 4) return given
    const size = shapeOf(given)[2] as number
    const bias = biases && slice(graph, biases, [begin], [size])
    begin += size
    return splitHeads(graph, bias ? add(graph, given, bias) : given, heads)
  }
  const [query, key, value] = [headsOf(0), headsOf(1), headsOf(2)] as const
  const [, , rows = 1, width = 1] = shapeOf(query)
  const columns = shapeOf(key)[2] as number
  const masks = contribMasks(node, graph, { padding: 4, bias: 5, rows, columns })
  const result = attend(graph, { query, key, value }, { scale: scaleOf(node, width), masks })
  graph.give(output(node), 'source', joinHeads(graph, result))
}

/** 0 stands for the usual one. */
function scaleOf(node: OnnxNode, width: number): number {
  return floatOf(node, 'scale', 0) || 1 / Math.sqrt(width)
}

interface MaskInputs {
  readonly padding: number
  readonly bias: number
  readonly rows: number
  readonly columns: number
}

/** A mask per sample [batch], per key [batch, columns] or per score [batch, rows, columns], a bias, and the future. */
function contribMasks(
  node: OnnxNode,
  graph: GraphBuilder,
  { padding, bias, rows, columns }: MaskInputs,
): DraftTensor[] {
  const masks: DraftTensor[] = []
  if (hasInput(node, padding)) {
    const mask = graph.value(input(node, padding))
    const hidden = floatOf(node, 'mask_filter_value', -10_000)
    const shape = shapeOf(mask)
    const [batch = 1] = shape
    if (shape.length === 1) masks.push(withinLengths(graph, mask, { columns, hidden }))
    else
      masks.push(
        reshape(graph, visible(graph, mask, hidden), [
          batch,
          1,
          shape.length === 2 ? 1 : rows,
          columns,
        ]),
      )
  }
  if (hasInput(node, bias)) masks.push(graph.value(input(node, bias)))
  if (intOf(node, 'unidirectional', 0) === 1) masks.push(causal(graph, rows, columns))
  return masks
}

/** Columns before each sample's length are seen. */
function withinLengths(
  graph: GraphBuilder,
  lengths: DraftTensor,
  { columns, hidden }: { columns: number; hidden: number },
): DraftTensor {
  const [batch = 1] = shapeOf(lengths)
  const seen = pointwise(
    graph,
    'LESS',
    [counting(graph, columns), reshape(graph, lengths, [batch, 1])],
    {},
    'BOOL',
  )
  return reshape(graph, visible(graph, seen, hidden), [batch, 1, 1, columns])
}

const inputAbsent =
  (position: number, what: string): Constraint =>
  (node) =>
    hasInput(node, position) ? `it takes ${what}` : null
const outputAbsent =
  (position: number, what: string): Constraint =>
  (node) =>
    output(node, position) === '' ? null : `its ${what} is asked for`
const isZero =
  (name: string, what: string): Constraint =>
  (node) =>
    intOf(node, name, 0) === 0 ? null : `it ${what}`

/** Lengths from both ends, and masks of four axes, are forms of their own. */
const knownMask =
  (position: number): Constraint =>
  (node, graph) => {
    if (!hasInput(node, position)) return null
    const [shape, [batch]] = [graph.shapeOf(input(node, position)), graph.shapeOf(input(node, 0))]
    if (shape.length > 3) return 'its mask has four axes'
    return shape[0] === batch ? null : 'its mask tells a start for each sample'
  }

const threeAxes: Constraint = (node, graph) =>
  graph.shapeOf(input(node, 0)).length === 3 && hasInput(node, 1) && hasInput(node, 2)
    ? null
    : 'its queries, keys and values are packed'

export const ATTENTION: Readonly<Record<string, LoweringRow>> = {
  Attention: row(
    attention,
    inputAbsent(6, 'lengths of what is no padding'),
    outputAbsent(3, 'table of scores'),
  ),
  'com.microsoft.Attention': row(
    packed,
    inputAbsent(4, 'what it computed before'),
    outputAbsent(1, 'state'),
    isZero('do_rotary', 'turns queries and keys'),
    knownMask(3),
  ),
  'com.microsoft.MultiHeadAttention': row(
    multiHead,
    threeAxes,
    inputAbsent(6, 'what it computed before'),
    outputAbsent(1, 'state'),
    knownMask(4),
  ),
}
