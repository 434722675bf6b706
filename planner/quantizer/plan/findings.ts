import type { Finding } from '../../../shared/findings.ts'
import type { Graph, GraphOperator } from '../../graph/index.ts'
import { operatorLabel } from './print.ts'

export function leftFloat(graph: Graph, operator: GraphOperator, reason: string): Finding {
  return {
    code: 'operator-left-float',
    severity: 'info',
    message: `${operatorLabel(graph, operator.id)} stays in float: ${reason}`,
    where: operator.name,
  }
}
