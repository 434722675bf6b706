import type { Finding } from '../../../shared/findings.ts'
import type {
  FusedActivation,
  GraphInput,
  GraphOperator,
  GraphTensor,
  Instruction,
  OperatorId,
  Plan,
} from '../../graph/index.ts'
import { type AffineParameters, FLOAT32, type Form, holdsFinite } from '../../graph/index.ts'
import { codesInPairs, pairedParameters } from '../parameters/pairs.ts'
import { weightParameters } from '../parameters/weight.ts'
import { leftFloat } from './findings.ts'
import type { PlanRequest } from './request.ts'
import { whyKept } from './selectors.ts'
import { mergeStores } from './stores.ts'
import { tallyOf } from './tally.ts'
import { expandedWeights, readersOf } from './weights.ts'

/** Hybrid kernels quantize their input at every run; below this many weights that costs more than it saves. */
export const LEAST_WEIGHT = 1024

/** Int8 weights, activations quantized by the kernels at run time (`dynamic-w8`). */
export function planDynamic(request: PlanRequest): Plan {
  const integer = new Set<OperatorId>()
  const findings: Finding[] = []
  const instructions: Instruction[] = []
  for (const operator of request.graph.operators) {
    const facts = request.facts[operator.kind].hybrid
    if (facts === null) continue
    const matrices = matricesOf(operator, request)
    const tensor = tensorOf(operator.inputs[matrices[0] ?? -1], request)
    if (tensor === null) continue
    const reasons = matrices.map((at) =>
      obstacleOf(operator, tensorOf(operator.inputs[at], request) ?? tensor, request),
    )
    const reason = reasons.find((one) => one !== null) ?? null
    if (reason !== null) {
      findings.push(leftFloat(request.graph, operator, reason))
      continue
    }
    integer.add(operator.id)
    instructions.push(...planOperator(operator, matrices, request))
  }
  const stores = mergeStores(instructions)
  const rest = restExpanded(stores, request)
  const left = new Set(findings.map(({ where }) => where))
  for (const id of readersOf(rest)) {
    if (!left.has(request.graph.operators[id]?.name)) integer.add(id)
  }
  return {
    instructions: mergeStores([...stores, ...rest]),
    findings,
    operators: tallyOf(request.graph, integer, findings),
  }
}

/** What no kernel takes as int8 is stored so all the same, and expanded at load; older releases may not expand it. */
function restExpanded(
  stores: readonly Instruction[],
  request: PlanRequest,
): readonly Instruction[] {
  if (request.release !== undefined) return []
  return expandedWeights(request, stores, LEAST_WEIGHT).instructions
}

function planOperator(
  operator: GraphOperator,
  positions: readonly number[],
  request: PlanRequest,
): Instruction[] {
  const stores = positions.flatMap((position) => storeMatrix(operator, position, request))
  return request.facts[operator.kind].hybrid === 'through-dequantize'
    ? stores
    : [...stores, { verb: 'compute', operator: operator.id, as: 'hybrid' }]
}

function storeMatrix(
  operator: GraphOperator,
  position: number,
  request: PlanRequest,
): Instruction[] {
  const tensor = tensorOf(operator.inputs[position], request)
  if (tensor === null) return []
  const values = tensor.constant?.read() ?? new Float32Array(0)
  const axis = hybridAxis(operator, position, request)
  const form: Form = {
    type: 'int8',
    parameters: pairedOr(operator, values, tensor.shape ?? [], axis, request),
  }
  const uses = [{ kind: 'input', operator: operator.id, position } as const]
  if (request.facts[operator.kind].hybrid !== 'through-dequantize')
    return [{ verb: 'store-constant', tensor: tensor.id, form, uses }]
  return [
    { verb: 'store-constant', tensor: tensor.id, form, uses: [] },
    { verb: 'convert', tensor: tensor.id, from: form, to: FLOAT32, uses },
  ]
}

function pairedOr(
  operator: GraphOperator,
  values: Float32Array,
  shape: readonly number[],
  axis: number | null,
  { graph, forms }: PlanRequest,
): AffineParameters {
  const paired = codesInPairs(operator, graph, forms)
    ? pairedParameters(operator, graph, values, axis)
    : null
  return paired ?? weightParameters(values, shape, axis, forms.weightBits)
}

/** What a kernel takes as int8: one matrix, or both of a recurrent operator, where both are constants. */
function matricesOf(operator: GraphOperator, request: PlanRequest): number[] {
  const found = operator.inputs.flatMap((input, at) => (isMatrix(input, request) ? [at] : []))
  if (operator.kind !== 'recurrent') return found.slice(0, 1)
  const weights = operator.inputs.flatMap(({ role }, at) => (role === 'weight' ? [at] : []))
  return weights.every((at) => found.includes(at)) ? weights : []
}

/** The constant a hybrid kernel takes as int8: a weight, or the constant side of a product. */
function isMatrix(input: GraphInput, request: PlanRequest): boolean {
  const tensor = tensorOf(input, request)
  const product = input.role === 'weight' || input.role === 'activation'
  return product && tensor?.constant !== null && tensor?.type === 'float32'
}

/** Activations that no integer kernel fuses, but that a hybrid one applies to its float sum. */
const AFTER_THE_SUM: ReadonlySet<FusedActivation> = new Set(['tanh', 'sign'])

function obstacleOf(
  operator: GraphOperator,
  weight: GraphTensor,
  { keepFloat, runtimeObstacle, facts }: PlanRequest,
): string | null {
  const kept = whyKept(operator, keepFloat)
  if (kept !== null) return kept
  const kernel = facts[operator.kind].hybrid !== 'through-dequantize'
  const tooNew = kernel ? runtimeObstacle(operator, 'hybrid') : null
  if (tooNew !== null) return tooNew
  if (kernel && !AFTER_THE_SUM.has(operator.fusedActivation) && operator.integerObstacle !== null)
    return operator.integerObstacle
  const { constant } = weight
  const values = constant?.read() ?? new Float32Array(0)
  if (constant === null || values.length < LEAST_WEIGHT) {
    return `its weight has ${values.length} elements, too few to gain (${LEAST_WEIGHT} needed)`
  }
  return holdsFinite(constant, values) ? null : `"${weight.name}" holds NaN or infinite numbers`
}

function hybridAxis(
  operator: GraphOperator,
  position: number,
  { forms }: PlanRequest,
): number | null {
  const perTensor = operator.kind === 'fully-connected' && !forms.perChannelHybridFullyConnected
  return perTensor ? null : (operator.inputs[position]?.channelAxis ?? null)
}

function tensorOf(input: GraphInput | undefined, { graph }: PlanRequest): GraphTensor | null {
  return input === undefined || input.tensor === null ? null : (graph.tensors[input.tensor] ?? null)
}
