import { sizeOf } from '../../shared/tensors.ts'
import type { Graph, GraphOperator, TensorId } from './graph.ts'

/** Elements of a tensor for one sample; open dimensions count one. */
export function elementsOf(tensor: TensorId | null | undefined, graph: Graph): number {
  const shape = graph.tensors[tensor ?? -1]?.shape ?? []
  return sizeOf(shape.map((dim) => Math.max(1, dim)))
}

/** Multiply-adds, or numbers made where nothing is multiplied with a weight. */
export function workOf({ inputs, outputs }: GraphOperator, graph: Graph): number {
  const weight = inputs.find(({ role }) => role === 'weight')
  const made = outputs.reduce((count, output) => count + elementsOf(output, graph), 0)
  if (weight === undefined) return made
  const shape = graph.tensors[weight.tensor ?? -1]?.shape ?? []
  const channels = weight.channelAxis === null ? 1 : (shape[weight.channelAxis] ?? 1)
  return (made * elementsOf(weight.tensor, graph)) / Math.max(1, channels)
}
