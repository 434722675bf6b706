import type { Graph, GraphOperator, OperatorId } from '../../../graph/index.ts'
import { type Links, usesOf } from '../../../graph/index.ts'
import type { KernelTable } from '../../../targets/index.ts'

/**
 * Operators that only move numbers, and sit among float operators alone: quantizing around them costs
 * two conversions and gains nothing. A group that touches nothing but the model's edges is no island.
 */
export function islandsOf(
  graph: Graph,
  links: Links,
  integer: ReadonlySet<OperatorId>,
  facts: KernelTable,
): Set<OperatorId> {
  const islands = new Set<OperatorId>()
  const seen = new Set<OperatorId>()
  for (const operator of graph.operators) {
    if (seen.has(operator.id) || !isMover(operator, integer, facts)) continue
    const group = collectMovers(operator, graph, links, integer, facts)
    for (const member of group) seen.add(member)
    const around = [...group].flatMap((id) => neighboursOf(id, graph, links))
    const outside = around.filter((id) => !group.has(id))
    const useful = outside.length === 0 || outside.some((id) => integer.has(id))
    if (!useful) for (const member of group) islands.add(member)
  }
  return islands
}

function isMover(
  operator: GraphOperator,
  integer: ReadonlySet<OperatorId>,
  facts: KernelTable,
): boolean {
  return integer.has(operator.id) && facts[operator.kind].movesOnly
}

function collectMovers(
  start: GraphOperator,
  graph: Graph,
  links: Links,
  integer: ReadonlySet<OperatorId>,
  facts: KernelTable,
): Set<OperatorId> {
  const group = new Set<OperatorId>([start.id])
  for (const id of group) {
    for (const neighbour of neighboursOf(id, graph, links)) {
      const operator = graph.operators[neighbour]
      if (operator !== undefined && isMover(operator, integer, facts)) group.add(neighbour)
    }
  }
  return group
}

/** Operators that hand numbers to this one or take them from it. */
function neighboursOf(id: OperatorId, graph: Graph, links: Links): OperatorId[] {
  const operator = graph.operators[id]
  if (operator === undefined) return []
  const before = operator.inputs.flatMap((input) => {
    if (input.tensor === null || input.role !== 'activation') return []
    return links.producers[input.tensor] ?? []
  })
  const after = operator.outputs.flatMap((output) =>
    usesOf(links, output).flatMap((use) => (use.kind === 'input' ? use.operator : [])),
  )
  return [...before, ...after]
}
