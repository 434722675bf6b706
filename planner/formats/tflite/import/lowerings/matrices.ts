import { sizeOf } from '../../../../../shared/tensors.ts'
import type { OnnxNode } from '../../../onnx/index.ts'
import { floatOf, intOf } from '../../../onnx/source.ts'
import type { DraftTensor } from '../../draft.ts'
import { add, dense, mul, shapeOf } from '../emit.ts'
import { need } from '../errors.ts'
import { type GraphBuilder, reshape, turn } from '../graph-builder.ts'
import { ordersCoincide } from '../layout.ts'
import { hasInput, input, type Lowering, type LoweringRow, output, row } from '../lowering.ts'
import { broadcastTo } from './shapes.ts'

/** Rows that only differ from a channels-last image by their order: the weights are turned instead of the image. */
interface Rows {
  readonly data: DraftTensor
  /** Shape of one row as the source counts it; null where it is in the source's order. */
  readonly image: readonly number[] | null
}

function rowsOf(graph: GraphBuilder, name: string): Rows {
  const maker = graph.source.producer(name)
  const from = maker === undefined ? '' : input(maker, 0)
  const flattens = maker !== undefined && /^(Reshape|Flatten)$/.test(maker.opType)
  if (!flattens || graph.homeOf(from) !== 'channels-last')
    return { data: graph.value(name), image: null }
  const [batch = 1, ...image] = graph.shapeOf(from)
  const shape = graph.shapeOf(name)
  const whole = shape.length === 2 && shape[0] === batch && !ordersCoincide([batch, ...image])
  if (!whole) return { data: graph.value(name), image: null }
  return { data: reshape(graph, graph.value(from, 'channels-last'), shape), image }
}

/** Weights [O,I] of a constant [I,O], or [O,I] where it is transposed already. */
function weightsOf(
  graph: GraphBuilder,
  name: string,
  isTransposed: boolean,
  image: Rows['image'],
): DraftTensor {
  const [a = 1, b = 1] = graph.shapeOf(name)
  if (image === null) return graph.reordered(name, isTransposed ? [0, 1] : [1, 0])
  const [channels = 1, ...spatial] = image
  const places = sizeOf(spatial)
  const outputs = isTransposed ? a : b
  const turned = isTransposed
    ? graph.reordered(name, [0, 2, 1], [outputs, channels, places])
    : graph.reordered(name, [2, 1, 0], [channels, places, outputs])
  turned.fields.shape = [outputs, channels * places]
  return turned
}

const gemm: Lowering = (node, graph) => {
  const [alpha, beta] = [floatOf(node, 'alpha', 1), floatOf(node, 'beta', 1)]
  const [transA, transB] = [intOf(node, 'transA', 0) === 1, intOf(node, 'transB', 0) === 1]
  const [a, b, c] = [input(node, 0), input(node, 1), input(node, 2)]
  needFloats(graph, a)
  const rows = transA
    ? { data: turn(graph, graph.value(a), [1, 0]), image: null }
    : rowsOf(graph, a)
  const isStored = graph.source.constant(b) !== null
  const filters = graph.shapeOf(output(node))[1] as number
  const bias = hasInput(node, 2) ? scaled(graph, graph.value(c), beta) : null
  const fits =
    bias !== null && bias.data !== null && sizeOf(shapeOf(bias)) === filters && alpha === 1
  if (fits) (bias as DraftTensor).fields.shape = [filters]
  const weights = isStored
    ? weightsOf(graph, b, transB, rows.image)
    : transB
      ? graph.value(b)
      : turn(graph, graph.value(b), [1, 0])
  const data = isStored ? rows.data : transA ? rows.data : graph.value(a)
  const product = scaled(graph, dense(graph, data, weights, fits ? bias : null), alpha)
  graph.give(output(node), 'source', fits || bias === null ? product : add(graph, product, bias))
}

function scaled(graph: GraphBuilder, x: DraftTensor, by: number): DraftTensor {
  if (by === 1) return x
  if (x.data === null) return mul(graph, x, graph.scalar(by))
  const values = new Float32Array(x.data.slice().buffer).map((value) => value * by)
  return graph.floats('scaled', shapeOf(x), values)
}

function needFloats(graph: GraphBuilder, name: string): void {
  const type = graph.source.typeOf(name)
  need(type === 'float32', `no kernel multiplies matrices of ${type}`)
}

const matmul: Lowering = (node, graph) => {
  const [a, b] = [input(node, 0), input(node, 1)]
  needFloats(graph, a)
  const [left, right] = [graph.shapeOf(a), graph.shapeOf(b)]
  const result = graph.shapeOf(output(node))
  if (right.length === 2 && graph.source.constant(b) !== null && left.length > 0) {
    const rows = rowsOf(graph, a)
    const data = left.length === 1 ? reshape(graph, rows.data, [1, ...left]) : rows.data
    const product = dense(graph, data, weightsOf(graph, b, false, rows.image), null)
    return graph.give(output(node), 'source', reshape(graph, product, result))
  }
  const first = left.length === 1 ? reshape(graph, graph.value(a), [1, ...left]) : graph.value(a)
  const second = right.length === 1 ? reshape(graph, graph.value(b), [...right, 1]) : graph.value(b)
  graph.give(output(node), 'source', reshape(graph, batchMatmul(graph, first, second), result))
}

/** Ranks up to which the kernel multiplies and broadcasts. */
const MATMUL_RANK = 5

/** x · y over the last two axes, all before them broadcast; adjY: y is transposed. */
export function batchMatmul(
  graph: GraphBuilder,
  x: DraftTensor,
  y: DraftTensor,
  adjY = false,
): DraftTensor {
  const [a, b] = [shapeOf(x), shapeOf(y)]
  const [rows = 1, depth = 1] = a.slice(-2)
  const columns = b.at(adjY ? -2 : -1) as number
  const batches = broadcastShape(a.slice(0, -2), b.slice(0, -2))
  if (Math.max(a.length, b.length) <= MATMUL_RANK - 1) {
    return graph.compute('BATCH_MATMUL', [x, y], [...batches, rows, columns], {
      adjX: false,
      adjY,
      asymmetricQuantizeInputs: false,
    })
  }
  const flat = (tensor: DraftTensor, last: readonly number[]) =>
    reshape(graph, broadcastTo(graph, tensor, [...batches, ...last]), [sizeOf(batches), ...last])
  const product = batchMatmul(graph, flat(x, [rows, depth]), flat(y, b.slice(-2)), adjY)
  return reshape(graph, product, [...batches, rows, columns])
}

function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, axis) =>
    Math.max(a[axis - rank + a.length] ?? 1, b[axis - rank + b.length] ?? 1),
  )
}

const fused: Lowering = (node: OnnxNode, graph) => {
  const [a, b] = [input(node, 0), input(node, 1)]
  const swap = (name: string, flag: string) => {
    const tensor = graph.value(name)
    const rank = shapeOf(tensor).length
    const order = Array.from({ length: rank }, (_, i) =>
      i === rank - 1 ? rank - 2 : i === rank - 2 ? rank - 1 : i,
    )
    return intOf(node, flag, 0) === 1 ? turn(graph, tensor, order) : tensor
  }
  const product = batchMatmul(graph, swap(a, 'transA'), swap(b, 'transB'))
  graph.give(output(node), 'source', scaled(graph, product, floatOf(node, 'alpha', 1)))
}

export const MATRICES: Readonly<Record<string, LoweringRow>> = {
  Gemm: row(gemm),
  MatMul: row(matmul),
  'com.microsoft.FusedMatMul': row(fused),
}
