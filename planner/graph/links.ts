import type { Graph, OperatorId, TensorId, Use } from './graph.ts'

/** Who makes and who reads each tensor. */
export interface Links {
  /** Null for constants and subgraph inputs. */
  readonly producers: readonly (OperatorId | null)[]
  readonly uses: readonly (readonly Use[])[]
}

export function linksOf(graph: Graph): Links {
  const producers: (OperatorId | null)[] = graph.tensors.map(() => null)
  const uses: Use[][] = graph.tensors.map(() => [])
  for (const operator of graph.operators) {
    for (const output of operator.outputs) producers[output] = operator.id
    operator.inputs.forEach((input, position) => {
      if (input.tensor === null) return
      uses[input.tensor]?.push({ kind: 'input', operator: operator.id, position })
    })
  }
  for (const subgraph of graph.subgraphs) {
    subgraph.outputs.forEach((tensor, position) => {
      uses[tensor]?.push({ kind: 'output', subgraph: subgraph.id, position })
    })
  }
  return { producers, uses }
}

export function usesOf(links: Links, tensor: TensorId): readonly Use[] {
  return links.uses[tensor] ?? []
}
