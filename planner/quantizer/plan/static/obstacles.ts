import type { GraphOperator, GraphTensor, Range } from '../../../graph/index.ts'
import { holdsFinite } from '../../../graph/index.ts'
import { LARGEST_MAGNITUDE, rangeOf } from '../../parameters/activation.ts'
import type { PlanRequest } from '../request.ts'
import { whyKept } from '../selectors.ts'
import { readsSharedTable } from '../tables.ts'

/** Why an operator cannot compute on integers. Rows are tried in order; the first that answers is told to the user. */
interface Obstacle {
  /** The law, as the end of "stays in float: …"; null when it does not apply. */
  readonly reason: (operator: GraphOperator, request: PlanRequest) => string | null
}

const obstacles: readonly Obstacle[] = [
  {
    reason: (operator, { keepFloat }) => whyKept(operator, keepFloat),
  },
  {
    reason: (operator, { facts }) =>
      facts[operator.kind].integer === null
        ? 'the 8-bit specification has no integer form of it'
        : null,
  },
  {
    reason: (operator, { forms, facts }) =>
      forms.activations === 'int16' && facts[operator.kind].integer?.int16 === false
        ? 'it has no kernel for int16 activations'
        : null,
  },
  {
    reason: (operator, request) =>
      readsSharedTable(operator, request)
        ? 'others multiply by its table, which is stored once, as they want it'
        : null,
  },
  { reason: (operator) => operator.integerObstacle },
  { reason: (operator, { runtimeObstacle }) => runtimeObstacle(operator, 'integer') },
  {
    reason: (operator, { graph }) =>
      graph.subgraphs[operator.subgraph]?.entry === false
        ? 'it runs inside a loop or a branch, where calibration cannot see values'
        : null,
  },
  {
    reason: (operator, request) =>
      wordsAbout(operator, request, (tensor) =>
        tensor.type === 'float32' ? null : `"${tensor.name}" holds ${tensor.type}`,
      ),
  },
  {
    reason: (operator, request) =>
      wordsAbout(operator, request, (tensor) =>
        tensor.variable ? `"${tensor.name}" keeps its value between runs` : null,
      ),
  },
  {
    reason: (operator, request) =>
      wordsAbout(operator, request, (tensor) =>
        tensor.shape?.includes(0) ? `"${tensor.name}" has no elements` : null,
      ),
  },
  { reason: parameterObstacle },
  {
    reason: (operator, request) =>
      wordsAbout(operator, request, (tensor) => rangeObstacle(tensor, operator, request)),
  },
]

/** The first obstacle's reason, or null when the operator can compute on integers. */
export function obstacleOf(operator: GraphOperator, request: PlanRequest): string | null {
  for (const obstacle of obstacles) {
    const reason = obstacle.reason(operator, request)
    if (reason !== null) return reason
  }
  return null
}

/** Activations in, and real numbers out: the tensors whose codes the operator would compute on. */
export function numbersOf(operator: GraphOperator, request: PlanRequest): GraphTensor[] {
  const { graph } = request
  const inputs = operator.inputs
    .filter((input) => input.role === 'activation')
    .flatMap((input) => (input.tensor === null ? [] : [input.tensor]))
  const noNumbers = request.facts[operator.kind].integer?.output.law === 'no-numbers'
  const outputs = noNumbers ? [] : operator.outputs.filter((id) => isReal(graph.tensors[id]))
  return [...inputs, ...outputs].flatMap((id) => graph.tensors[id] ?? [])
}

/** Index outputs beside the numbers (top-k) are no concern of quantization. */
function isReal(tensor: GraphTensor | undefined): boolean {
  return tensor !== undefined && tensor.type !== 'int32' && tensor.type !== 'int64'
}

function wordsAbout(
  operator: GraphOperator,
  request: PlanRequest,
  words: (tensor: GraphTensor) => string | null,
): string | null {
  for (const tensor of numbersOf(operator, request)) {
    const reason = words(tensor)
    if (reason !== null) return reason
  }
  return null
}

function parameterObstacle(operator: GraphOperator, { graph }: PlanRequest): string | null {
  for (const input of operator.inputs) {
    if (input.tensor === null || (input.role !== 'weight' && input.role !== 'bias')) continue
    const tensor = graph.tensors[input.tensor]
    const constant = tensor?.constant ?? null
    const values = constant?.read() ?? null
    if (constant === null || values === null)
      return `its ${input.role} "${tensor?.name}" is computed at run time`
    if (tensor?.type !== 'float32')
      return `its ${input.role} "${tensor?.name}" holds ${tensor?.type}`
    if (!holdsFinite(constant, values)) {
      return `its ${input.role} "${tensor.name}" holds NaN or infinite numbers`
    }
  }
  return null
}

function rangeObstacle(
  tensor: GraphTensor,
  operator: GraphOperator,
  { ranges, unusable, facts }: PlanRequest,
): string | null {
  if (tensor.constant !== null) {
    const values = tensor.constant.read()
    if (values === null) return `constant "${tensor.name}" cannot be read as real numbers`
    if (values.some(Number.isNaN)) return `constant "${tensor.name}" holds NaN`
    // Where codes follow another tensor, infinite paddings saturate; elsewhere a range must come from the constant.
    const follows = facts[operator.kind].integer?.output.law === 'same-as-output'
    const bounded = follows || rangeOf(values) !== null
    return bounded ? null : `constant "${tensor.name}" holds no finite number`
  }
  const range = ranges.get(tensor.id)
  if (range !== undefined) return widthObstacle(tensor, range)
  return unusable.get(tensor.id) ?? `calibration never reached "${tensor.name}"`
}

function widthObstacle({ name }: GraphTensor, { min, max }: Range): string | null {
  const largest = Math.max(-min, max)
  if (largest <= LARGEST_MAGNITUDE) return null
  return `"${name}" reaches ${largest.toExponential(1)}, and products of scales would leave float32 (at most ${LARGEST_MAGNITUDE.toExponential()})`
}
