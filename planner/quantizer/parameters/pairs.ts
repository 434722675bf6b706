import type { AffineParameters, Graph, GraphOperator } from '../../graph/index.ts'
import { WEIGHT_CODE_MAX, type WeightBits } from '../../graph/index.ts'
import { type WeightRows, weightRows } from './rows.ts'

/**
 * Codes of neighbours, of one sign, whose sum times the largest unsigned code still fits 16 bits: 128 × 255 < 2¹⁵.
 * Seven bits for each would keep that too, but few neighbours are both large.
 */
export const PAIR_MOST = 128
/** Both may be rounded up by a half. */
const BEFORE_ROUNDING = PAIR_MOST - 1

/** Whether the scales of a product's weight are chosen by pairs of neighbours, rather than by its bits. */
export function codesInPairs(
  operator: GraphOperator,
  graph: Graph,
  { weightBits }: { readonly weightBits: WeightBits },
): boolean {
  return weightBits === 7 && rowsOf(operator, graph) !== null
}

/** The finest scales with which no two neighbouring products saturate; null where they are not known. */
export function pairedParameters(
  operator: GraphOperator,
  graph: Graph,
  values: Float32Array,
  axis: number | null,
): AffineParameters | null {
  const rows = rowsOf(operator, graph)
  if (rows === null) return null
  const alone = addsNothing(operator, graph)
  const needed = Array.from({ length: rows.outputs }, (_, output) =>
    alone
      ? largestOne(values, rows, output) / WEIGHT_CODE_MAX[8]
      : largestPair(values, rows, output) / BEFORE_ROUNDING,
  )
  const overall = needed.reduce((most, scale) => Math.max(most, scale), 0)
  // Channels without weights take the scale of the tensor, like those of other schemes.
  const sane = (scale: number) => Math.fround(scale > DEAD ? scale : overall > DEAD ? overall : 1)
  const scales = axis === null ? [sane(overall)] : needed.map(sane)
  return { scales, zeroPoints: scales.map(() => 0), axis }
}

const DEAD = 1e-32

/** The most that two neighbours of an output channel, in the kernel's order, come to with one sign. */
export function largestPair(values: Float32Array, rows: WeightRows, output: number): number {
  const { offsets } = rows
  const at = (k: number) =>
    k < offsets.length ? (values[rows.start(output) + (offsets[k] as number)] as number) : 0
  let most = 0
  for (let k = 0; k < offsets.length; k += 2) {
    const [a, b] = [at(k), at(k + 1)]
    most = Math.max(most, Math.max(a, 0) + Math.max(b, 0), -Math.min(a, 0) - Math.min(b, 0))
  }
  return most
}

function largestOne(values: Float32Array, rows: WeightRows, output: number): number {
  return rows.offsets.reduce(
    (most, offset) => Math.max(most, Math.abs(values[rows.start(output) + offset] as number)),
    0,
  )
}

/** As many output as input channels, each with a window of its own: that kernel adds in 32 bits. */
export function addsNothing(operator: GraphOperator, graph: Graph): boolean {
  const weight = operator.inputs.find(({ role }) => role === 'weight')
  const source = operator.inputs.find(({ role }) => role === 'activation')
  const outputs = graph.tensors[weight?.tensor ?? -1]?.shape?.[0]
  return weight?.inputAxis === null && outputs === graph.tensors[source?.tensor ?? -1]?.shape?.[1]
}

function rowsOf(operator: GraphOperator, graph: Graph): WeightRows | null {
  const input = operator.inputs.find(({ role }) => role === 'weight')
  const weight = graph.tensors[input?.tensor ?? -1]
  return weight === undefined ? null : weightRows(operator, weight)
}
