import type { Finding } from '../../../shared/findings.ts'
import type { Graph, OperatorId, OperatorTally } from '../../graph/index.ts'

export function tallyOf(
  graph: Graph,
  integer: ReadonlySet<OperatorId>,
  findings: readonly Finding[],
): OperatorTally {
  const float = findings.filter((finding) => finding.code === 'operator-left-float').length
  return { total: graph.operators.length, integer: integer.size, float }
}
