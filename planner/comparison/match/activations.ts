import type {
  Graph,
  GraphOperator,
  GraphTensor,
  Links,
  OperatorKind,
  TensorId,
} from '../../graph/index.ts'

/** They change how numbers are written, not the numbers. */
const CONVERSIONS: ReadonlySet<OperatorKind> = new Set(['quantize', 'dequantize', 'fake-quant'])

/** Element types that stand for real numbers by themselves, or through a scale. */
const FLOATS: ReadonlySet<string> = new Set(['float32', 'float64', 'float16'])
const CODES: ReadonlySet<string> = new Set(['int8', 'uint8', 'int16', 'int32'])

export function isConversion(operator: GraphOperator): boolean {
  return CONVERSIONS.has(operator.kind)
}

/** Whether the runtime's elements of the tensor can be read as real numbers, one scale for all. */
export function holdsNumbers({ type, quantization }: GraphTensor): boolean {
  if (FLOATS.has(type)) return type === 'float32'
  return CODES.has(type) && quantization?.scales.length === 1
}

/** The tensor whose numbers `tensor` carries: back through QUANTIZE and DEQUANTIZE, to what computed them. */
export function originOf(graph: Graph, links: Links, tensor: TensorId): TensorId {
  let at = tensor
  // A walk can be no longer than the graph, whatever the file says.
  for (let step = 0; step < graph.operators.length; step += 1) {
    const producer = graph.operators[links.producers[at] ?? -1]
    const source = producer?.inputs[0]?.tensor
    if (producer === undefined || !isConversion(producer) || source == null) return at
    at = source
  }
  return at
}

/** Operators of a subgraph that compute, in order of execution: no conversions, and nothing from constants alone. */
export function computingOperators(graph: Graph, subgraph: number): GraphOperator[] {
  return graph.operators.filter(
    (operator) =>
      operator.subgraph === subgraph && !isConversion(operator) && readsData(operator, graph),
  )
}

function readsData(operator: GraphOperator, graph: Graph): boolean {
  return operator.inputs.some(
    ({ tensor }) => tensor !== null && graph.tensors[tensor]?.constant === null,
  )
}

/** -1 and an unknown rank agree with anything. */
export function sameShape(a: GraphTensor | undefined, b: GraphTensor | undefined): boolean {
  if (a === undefined || b === undefined) return false
  if (a.shape === null || b.shape === null) return true
  const other = b.shape
  return (
    a.shape.length === other.length &&
    a.shape.every((dim, axis) => dim < 0 || (other[axis] ?? 0) < 0 || dim === other[axis])
  )
}
