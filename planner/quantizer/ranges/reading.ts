import type { Graph, GraphOperator, Links, OperatorKind, TensorId } from '../../graph/index.ts'
import { usesOf } from '../../graph/index.ts'

/** What the only readers of an activation make of one of its numbers. */
export type Reading = (value: number) => number

/**
 * Functions that answer nearly the same to all numbers on one side. Logistic functions alone are not among them: at the
 * end of a model what they read is compared, however close they come to 0.
 */
const RECTIFIERS: Partial<Record<OperatorKind, Reading>> = {
  relu: (x) => Math.max(0, x),
  relu6: (x) => Math.min(6, Math.max(0, x)),
  'relu-n1-to-1': (x) => Math.min(1, Math.max(-1, x)),
  'relu-0-to-1': (x) => Math.min(1, Math.max(0, x)),
  'hard-swish': (x) => (x * Math.min(6, Math.max(0, x + 3))) / 6,
  gelu: (x) => x * logistic(1.702 * x),
  elu: (x) => (x < 0 ? Math.expm1(x) : x),
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x))
}

/**
 * How all that reads a tensor reads it: through a rectifier, or multiplied with the logistic of itself. Null where
 * somebody wants the numbers as they are.
 */
export function readingOf(tensor: TensorId, graph: Graph, links: Links): Reading | null {
  const readers = readersOf(tensor, graph, links)
  const [first, second, third] = readers ?? []
  if (first === undefined || third !== undefined) return null
  if (second === undefined) return RECTIFIERS[first.kind] ?? null
  const gates =
    isGate(first, second, tensor, graph, links) || isGate(second, first, tensor, graph, links)
  return gates ? (x) => x * logistic(x) : null
}

function isGate(
  gate: GraphOperator,
  product: GraphOperator,
  tensor: TensorId,
  graph: Graph,
  links: Links,
): boolean {
  const [made] = gate.outputs
  if (gate.kind !== 'logistic' || product.kind !== 'mul' || made === undefined) return false
  const factors = product.inputs.map((input) => input.tensor)
  const others = readersOf(made, graph, links)
  return factors.includes(tensor) && factors.includes(made) && others?.length === 1
}

/** Null where the tensor is an output. */
function readersOf(tensor: TensorId, graph: Graph, links: Links): GraphOperator[] | null {
  const found = new Set<GraphOperator>()
  for (const use of usesOf(links, tensor)) {
    const reader = use.kind === 'input' ? graph.operators[use.operator] : undefined
    if (reader === undefined) return null
    found.add(reader)
  }
  return [...found]
}
