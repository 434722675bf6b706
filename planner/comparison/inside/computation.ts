import type { Graph, GraphOperator } from '../../graph/index.ts'
import { isConversion } from '../match/activations.ts'

/**
 * `integer`: reads and writes integer activations; `hybrid`: integer weights between float activations;
 * `float`; `conversion`: QUANTIZE, DEQUANTIZE; `other`: no real numbers come out (indices, shapes, control flow).
 */
export const COMPUTATIONS = ['integer', 'hybrid', 'float', 'conversion', 'other'] as const
export type Computation = (typeof COMPUTATIONS)[number]

export function computationOf(graph: Graph, operator: GraphOperator): Computation {
  if (isConversion(operator)) return 'conversion'
  const inputs = operator.inputs.flatMap(({ tensor, role }) =>
    tensor === null || role === 'shape' ? [] : (graph.tensors[tensor] ?? []),
  )
  const output = graph.tensors[operator.outputs[0] ?? -1]
  const coded = inputs.some(({ quantization }) => quantization !== null)
  if (output?.type === 'float32') return coded ? 'hybrid' : 'float'
  const data = inputs.some(({ constant, quantization }) => !constant && quantization !== null)
  // Comparisons and arg-max write no codes, but read them.
  return output?.quantization != null || data ? 'integer' : 'other'
}

/** One row per kind of operator: how many compute in which way. */
export interface OperatorRow {
  /** What the format calls it. */
  readonly operator: string
  readonly counts: Readonly<Record<Computation, number>>
}

export function operatorRows(graph: Graph): OperatorRow[] {
  const rows = new Map<string, Record<Computation, number>>()
  for (const operator of graph.operators) {
    const counts = rows.get(operator.nativeKind) ?? noCounts()
    counts[computationOf(graph, operator)] += 1
    rows.set(operator.nativeKind, counts)
  }
  return [...rows].map(([operator, counts]) => ({ operator, counts }))
}

export function totalOf(rows: readonly OperatorRow[]): Record<Computation, number> {
  const total = noCounts()
  for (const { counts } of rows) for (const how of COMPUTATIONS) total[how] += counts[how]
  return total
}

function noCounts(): Record<Computation, number> {
  return { integer: 0, hybrid: 0, float: 0, conversion: 0, other: 0 }
}
