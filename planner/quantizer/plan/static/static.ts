import type { Finding } from '../../../../shared/findings.ts'
import type { GraphOperator, Instruction, OperatorId, Plan } from '../../../graph/index.ts'
import { leftFloat } from '../findings.ts'
import type { PlanRequest } from '../request.ts'
import { mergeStores } from '../stores.ts'
import { storeSharedTables } from '../tables.ts'
import { tallyOf } from '../tally.ts'
import { planFlow } from './flow.ts'
import { islandsOf } from './islands.ts'
import { numbersOf, obstacleOf } from './obstacles.ts'
import { precisionReasons } from './precision/rules.ts'
import { ScaleGroups } from './scale-groups.ts'
import { wantedParameters } from './wanted.ts'
import { planWeights } from './weighted.ts'

/** Integer weights and integer activations with calibrated parameters (`static-w8a8`, `static-w8a16`). */
export function planStatic(request: PlanRequest): Plan {
  const { integer, findings } = chooseOperators(request)
  const scales = new ScaleGroups(request, integer)
  const operators = request.graph.operators.filter((operator) => integer.has(operator.id))
  const stores = operators.flatMap((operator) => planConstants(operator, scales, request))
  const instructions: Instruction[] = [
    ...mergeStores([...stores, ...storeSharedTables(stores, request)]),
    ...planFlow(request, integer, scales),
    ...operators.map(({ id }): Instruction => ({ verb: 'compute', operator: id, as: 'integer' })),
  ]
  return { instructions, findings, operators: tallyOf(request.graph, integer, findings) }
}

interface Choice {
  readonly integer: ReadonlySet<OperatorId>
  readonly findings: readonly Finding[]
}

function chooseOperators(request: PlanRequest): Choice {
  const integer = new Set<OperatorId>()
  const findings: Finding[] = []
  const reasons = precisionReasons(request)
  for (const operator of request.graph.operators) {
    if (!computesOnReals(operator, request)) continue
    const reason = obstacleOf(operator, request) ?? reasons.get(operator.id) ?? null
    if (reason === null) integer.add(operator.id)
    else findings.push(leftFloat(request.graph, operator, reason))
  }
  for (const id of islandsOf(request.graph, request.links, integer, request.facts)) {
    integer.delete(id)
    const operator = request.graph.operators[id] as GraphOperator
    findings.push(leftFloat(request.graph, operator, 'it only moves numbers among float operators'))
  }
  return { integer, findings }
}

/** Shape arithmetic, and operators that are integer already, are nobody's concern. */
function computesOnReals(operator: GraphOperator, request: PlanRequest): boolean {
  return (
    operator.kind !== 'quantize' &&
    operator.kind !== 'dequantize' &&
    numbersOf(operator, request).some((tensor) => tensor.type.startsWith('float'))
  )
}

/** Everything an integer operator reads that is not computed: weights, biases, constant operands. */
function planConstants(
  operator: GraphOperator,
  scales: ScaleGroups,
  request: PlanRequest,
): Instruction[] {
  const operands = operator.inputs.flatMap(({ tensor, role }, position): Instruction[] => {
    if (tensor === null || role !== 'activation') return []
    if (request.graph.tensors[tensor]?.constant === null) return []
    const parameters = wantedParameters(operator, tensor, scales, request)
    if (parameters === null) return []
    const form = { type: request.forms.activations, parameters }
    return [
      {
        verb: 'store-constant',
        tensor,
        form,
        uses: [{ kind: 'input', operator: operator.id, position }],
      },
    ]
  })
  const input = operator.inputs.find(({ role }) => role === 'activation')?.tensor ?? null
  const parameters = input === null ? null : wantedParameters(operator, input, scales, request)
  return parameters === null
    ? operands
    : [...operands, ...planWeights(operator, parameters, request)]
}
