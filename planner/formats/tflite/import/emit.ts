import type { DraftTensor } from '../draft.ts'
import { broadcast } from './broadcast.ts'
import { need } from './errors.ts'
import { type GraphBuilder, type Options, reshape } from './graph-builder.ts'

/** Short words for chains of operators: each returns the tensor that its operator computes. */

export function shapeOf(tensor: DraftTensor): number[] {
  return tensor.fields.shape as number[]
}

/** Ranks up to which kernels broadcast. */
const BROADCAST_RANK = 4

/** An operator that treats elements alike, its inputs broadcast; above rank 4 axes that move together become one. */
export function pointwise(
  graph: GraphBuilder,
  code: string,
  inputs: readonly DraftTensor[],
  options: Options = {},
  type?: string,
): DraftTensor {
  const shapes = inputs.map(shapeOf)
  const shape = broadcast(...shapes)
  const alike = shapes.every((one) => one.join() === shape.join())
  const result = type ?? inputs[0]?.fields.type ?? 'FLOAT32'
  if (alike || shape.length <= BROADCAST_RANK) {
    return graph.compute(code, inputs, shape, options, result)
  }
  const groups = mergedAxes(shapes, shape)
  need(groups.length <= BROADCAST_RANK, `${code} broadcasts over ${groups.length} axes apart`)
  const merged = inputs.map((input, i) => {
    const full = padded(shapes[i] as number[], shape.length)
    return shapeOf(input).length === 0
      ? input
      : reshape(
          graph,
          input,
          groups.map((group) => group.reduce((n, axis) => n * (full[axis] as number), 1)),
        )
  })
  const flat = graph.compute(code, merged, broadcast(...merged.map(shapeOf)), options, result)
  return reshape(graph, flat, shape)
}

function padded(shape: readonly number[], rank: number): number[] {
  return [...new Array<number>(rank - shape.length).fill(1), ...shape]
}

/** Neighbouring axes that every input either has whole or not at all. */
function mergedAxes(shapes: readonly (readonly number[])[], shape: readonly number[]): number[][] {
  const full = shapes.map((one) => padded(one, shape.length))
  const pattern = (axis: number) => full.map((one) => one[axis] === shape[axis]).join()
  const groups: number[][] = []
  for (const axis of shape.keys()) {
    const last = groups.at(-1)
    const joins =
      last !== undefined && (shape[axis] === 1 || pattern(axis) === pattern(last[0] as number))
    if (joins) last.push(axis)
    else groups.push([axis])
  }
  return groups
}

export const add = (graph: GraphBuilder, a: DraftTensor, b: DraftTensor) =>
  pointwise(graph, 'ADD', [a, b])
export const sub = (graph: GraphBuilder, a: DraftTensor, b: DraftTensor) =>
  pointwise(graph, 'SUB', [a, b])
export const mul = (graph: GraphBuilder, a: DraftTensor, b: DraftTensor) =>
  pointwise(graph, 'MUL', [a, b])
export const div = (graph: GraphBuilder, a: DraftTensor, b: DraftTensor) =>
  pointwise(graph, 'DIV', [a, b])

/** Bounds at infinity bound nothing. */
export function between(
  graph: GraphBuilder,
  x: DraftTensor,
  low: number,
  high: number,
): DraftTensor {
  const above =
    low === Number.NEGATIVE_INFINITY ? x : pointwise(graph, 'MAXIMUM', [x, graph.scalar(low, x)])
  return high === Number.POSITIVE_INFINITY
    ? above
    : pointwise(graph, 'MINIMUM', [above, graph.scalar(high, x)])
}

export function reduce(
  graph: GraphBuilder,
  code: string,
  from: DraftTensor,
  axes: readonly number[],
  keepDims = true,
): DraftTensor {
  const shape = shapeOf(from)
  const result = shape.flatMap((size, axis) =>
    axes.includes(axis) ? (keepDims ? [1] : []) : [size],
  )
  return graph.compute(code, [from, graph.int32s('axes', axes)], result, { keepDims })
}

export function cast(graph: GraphBuilder, from: DraftTensor, type: string): DraftTensor {
  if (from.fields.type === type) return from
  if (from.fields.type === 'INT64' && type === 'INT32') needNarrow(from)
  const options = { inDataType: from.fields.type, outDataType: type }
  return graph.compute('CAST', [from], shapeOf(from), options, type)
}

/** Of computed values nobody knows beforehand: kernels of 64 bits are rare, and indices that need them rarer. */
function needNarrow({ data, fields }: DraftTensor): void {
  const values = data === null ? [] : Array.from(new BigInt64Array(data.slice().buffer))
  need(
    values.every((value) => BigInt.asIntN(32, value) === value),
    `"${fields.name}" holds numbers beyond 32 bits, and no kernel takes those here`,
  )
}

export function concat(
  graph: GraphBuilder,
  parts: readonly DraftTensor[],
  axis: number,
): DraftTensor {
  const [first] = parts
  if (first !== undefined && parts.length === 1) return first
  const shape = [...shapeOf(first as DraftTensor)]
  shape[axis] = parts.reduce((sum, part) => sum + (shapeOf(part)[axis] as number), 0)
  return graph.compute('CONCATENATION', parts, shape, { axis, fusedActivationFunction: 'NONE' })
}

/** begin (inclusive), sizes per axis. */
export function slice(
  graph: GraphBuilder,
  from: DraftTensor,
  begin: readonly number[],
  size: readonly number[],
): DraftTensor {
  if (shapeOf(from).every((dim, axis) => begin[axis] === 0 && size[axis] === dim)) return from
  return graph.compute(
    'SLICE',
    [from, graph.int32s('begin', begin), graph.int32s('size', size)],
    size,
  )
}

/** Pairs [before, after] per axis, zeros or `value`. */
export function pad(
  graph: GraphBuilder,
  from: DraftTensor,
  pads: readonly (readonly [number, number])[],
  value = 0,
): DraftTensor {
  if (pads.every(([before, after]) => before === 0 && after === 0)) return from
  const shape = shapeOf(from).map(
    (dim, axis) => dim + (pads[axis]?.[0] ?? 0) + (pads[axis]?.[1] ?? 0),
  )
  const paddings = graph.constant(
    'paddings',
    'int32',
    [pads.length, 2],
    Int32Array.from(pads.flat()),
  )
  if (value === 0) return graph.compute('PAD', [from, paddings], shape)
  return graph.compute('PADV2', [from, paddings, graph.scalar(value, from)], shape)
}

/** Rows of a table, by their numbers: [...indices, ...the rest of the table]. */
export function rowsAt(graph: GraphBuilder, table: DraftTensor, indices: DraftTensor): DraftTensor {
  const shape = [...shapeOf(indices), ...shapeOf(table).slice(1)]
  return graph.compute('GATHER', [table, indices], shape, { axis: 0, batchDims: 0 })
}

/** 0, 1, 2 … in a row: [1, count]. */
export function counting(
  graph: GraphBuilder,
  count: number,
  type: 'int32' | 'int64' = 'int32',
): DraftTensor {
  const places = Int32Array.from({ length: count }, (_, i) => i)
  const data = type === 'int64' ? BigInt64Array.from(places, BigInt) : places
  return graph.constant('places', type, [1, count], data)
}

/** x · weightsᵀ + bias, weights [O,I]. */
export function dense(
  graph: GraphBuilder,
  from: DraftTensor,
  weights: DraftTensor,
  bias: DraftTensor | null,
): DraftTensor {
  const shape = [...shapeOf(from).slice(0, -1), shapeOf(weights)[0] as number]
  return graph.compute('FULLY_CONNECTED', [from, weights, bias], shape, {
    fusedActivationFunction: 'NONE',
    weightsFormat: 'DEFAULT',
    keepNumDims: shape.length !== 2,
  })
}
