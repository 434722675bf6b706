import type { OperatorId, SubgraphId, TensorId } from '../../graph/index.ts'
import type { TflModel } from './model.ts'

/** The view numbers tensors and operators through all subgraphs; the file counts from 0 in each. */
export interface Numbering {
  tensorId(subgraph: SubgraphId, index: number): TensorId
  operatorId(subgraph: SubgraphId, index: number): OperatorId
}

export function numberingOf(model: TflModel): Numbering {
  const tensors = starts(model.subgraphs.map((subgraph) => subgraph.tensors.length))
  const operators = starts(model.subgraphs.map((subgraph) => subgraph.operators.length))
  return {
    tensorId: (subgraph, index) => (tensors[subgraph] ?? 0) + index,
    operatorId: (subgraph, index) => (operators[subgraph] ?? 0) + index,
  }
}

function starts(lengths: readonly number[]): number[] {
  let next = 0
  return lengths.map((length) => {
    const start = next
    next += length
    return start
  })
}
