import type { Finding } from '../../../shared/findings.ts'
import type {
  GraphOperator,
  GraphTensor,
  Instruction,
  OperatorId,
  Plan,
} from '../../graph/index.ts'
import { holdsFinite } from '../../graph/index.ts'
import { QuantizerError } from '../errors.ts'
import { leftFloat } from './findings.ts'
import type { PlanRequest } from './request.ts'
import { whyKept } from './selectors.ts'
import { tallyOf } from './tally.ts'

/** Below this a kernel of its own costs more than the smaller weight saves. */
const MINIMUM_ELEMENTS = 1024

/** Int4 weights in blocks, float activations (`weight-w4-b32`). */
export function planBlocks(request: PlanRequest): Plan {
  if (!Object.values(request.facts).some(({ blocks }) => blocks)) {
    throw new QuantizerError(
      'unsupported-scheme',
      'scheme weight-w4-b32 has no kernels for this model format: use dynamic-w8, or the ONNX form of the model',
    )
  }
  const integer = new Set<OperatorId>()
  const findings: Finding[] = []
  const instructions: Instruction[] = []
  for (const operator of request.graph.operators) {
    if (!request.facts[operator.kind].blocks) continue
    const reason = obstacleOf(operator, request)
    if (reason === null) {
      integer.add(operator.id)
      instructions.push({ verb: 'compute', operator: operator.id, as: 'blocks' })
    } else findings.push(leftFloat(request.graph, operator, reason))
  }
  return { instructions, findings, operators: tallyOf(request.graph, integer, findings) }
}

function obstacleOf(operator: GraphOperator, request: PlanRequest): string | null {
  const kept = whyKept(operator, request.keepFloat)
  if (kept !== null) return kept
  if (operator.integerObstacle !== null) return operator.integerObstacle
  const weight = weightOf(operator, request)
  const constant = weight?.type === 'float32' ? weight.constant : null
  const values = constant?.read() ?? null
  if (constant === null || values === null) return 'its weight is no float constant'
  if (values.length < MINIMUM_ELEMENTS) {
    return `its weight has ${values.length} elements, too few to gain (${MINIMUM_ELEMENTS} needed)`
  }
  return holdsFinite(constant, values) ? null : `"${weight?.name}" holds NaN or infinite numbers`
}

function weightOf(operator: GraphOperator, { graph }: PlanRequest): GraphTensor | undefined {
  const input = operator.inputs.find(({ role }) => role === 'weight')
  return graph.tensors[input?.tensor ?? -1]
}
