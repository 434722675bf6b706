import { invariant } from '../../../../shared/errors.ts'
import type {
  AffineParameters,
  CodeForms,
  Form,
  GraphInput,
  GraphOperator,
  GraphTensor,
  Instruction,
} from '../../../graph/index.ts'
import { codesInPairs, pairedParameters } from '../../parameters/pairs.ts'
import {
  biasParameters,
  guardBias,
  learntParameters,
  weightParameters,
} from '../../parameters/weight.ts'
import type { PlanRequest } from '../request.ts'

/** Weight and bias of an operator whose input arrives with `input` parameters. */
export function planWeights(
  operator: GraphOperator,
  input: AffineParameters,
  request: PlanRequest,
): Instruction[] {
  const weightAt = operator.inputs.findIndex(({ role }) => role === 'weight')
  const source = operator.inputs[weightAt]
  if (source === undefined) return []
  const revision = request.revisions.get(operator.id)
  const tensor = tensorAt(source, request)
  const values = revision?.weight ?? valuesOf(tensor)
  const bias = planBias(operator, request, channelCount(tensor, source.channelAxis))
  const inputScale = input.scales[0] as number
  const axis = channelAxis(operator, source, request.forms)
  const parameters = guardBias(
    revision?.weightParameters ??
      (revision?.weight === undefined
        ? knownParameters(operator, tensor, values, axis, request)
        : chosenParameters(operator, tensor, values, axis, request)),
    inputScale,
    bias?.values ?? new Float32Array(0),
  )
  const weight: Instruction = {
    verb: 'store-constant',
    tensor: tensor.id,
    form: { type: 'int8', parameters },
    uses: [{ kind: 'input', operator: operator.id, position: weightAt }],
    ...(revision?.weight && { values: revision.weight }),
  }
  return bias === null
    ? [weight]
    : [weight, storeBias(operator, bias, inputScale, parameters, request)]
}

const KNOWN = new WeakMap<GraphTensor, Map<string, AffineParameters>>()

/** Plans are made again and again, and a constant never changes. */
export function knownParameters(
  operator: GraphOperator,
  tensor: GraphTensor,
  values: Float32Array,
  axis: number | null,
  request: Pick<PlanRequest, 'graph' | 'forms'>,
): AffineParameters {
  const ways = KNOWN.get(tensor) ?? new Map<string, AffineParameters>()
  const way = `${operator.id} ${axis} ${request.forms.weightBits}`
  const known = ways.get(way) ?? chosenParameters(operator, tensor, values, axis, request)
  KNOWN.set(tensor, ways.set(way, known))
  return known
}

function chosenParameters(
  operator: GraphOperator,
  tensor: GraphTensor,
  values: Float32Array,
  axis: number | null,
  { graph, forms }: Pick<PlanRequest, 'graph' | 'forms'>,
): AffineParameters {
  const special = codesInPairs(operator, graph, forms)
    ? pairedParameters(operator, graph, values, axis)
    : learntParameters(tensor, values, axis)
  return special ?? weightParameters(values, tensor.shape ?? [], axis, forms.weightBits)
}

interface Bias {
  readonly position: number
  readonly values: Float32Array
  /** Null where the operator has none yet. */
  readonly tensor: GraphTensor | null
  readonly revised: boolean
}

function planBias(operator: GraphOperator, request: PlanRequest, channels: number): Bias | null {
  const position = operator.inputs.findIndex(({ role }) => role === 'bias')
  const input = operator.inputs[position]
  if (input === undefined) return null
  const revised = request.revisions.get(operator.id)?.bias
  if (input.tensor === null) {
    if (!request.facts[operator.kind].biasWanted && revised === undefined) return null
    const values = revised ?? new Float32Array(channels)
    return { position, tensor: null, values, revised: revised !== undefined }
  }
  const tensor = tensorAt(input, request)
  return { position, tensor, values: revised ?? valuesOf(tensor), revised: revised !== undefined }
}

function storeBias(
  operator: GraphOperator,
  bias: Bias,
  inputScale: number,
  weight: AffineParameters,
  request: PlanRequest,
): Instruction {
  const form: Form = {
    // 16-bit activations accumulate in 64 bits.
    type: request.forms.activations === 'int16' ? 'int64' : 'int32',
    parameters: biasParameters(inputScale, weight),
  }
  const { position, values, tensor } = bias
  if (tensor === null) {
    return { verb: 'add-bias', operator: operator.id, position, form, values }
  }
  return {
    verb: 'store-constant',
    tensor: tensor.id,
    form,
    uses: [{ kind: 'input', operator: operator.id, position }],
    ...(bias.revised && { values }),
  }
}

export function channelAxis(
  operator: GraphOperator,
  input: GraphInput,
  forms: CodeForms,
): number | null {
  const perTensor = operator.kind === 'fully-connected' && !forms.perChannelFullyConnected
  return perTensor ? null : input.channelAxis
}

function channelCount(weight: GraphTensor, axis: number | null): number {
  return axis === null ? 1 : (weight.shape?.[axis] ?? 1)
}

function tensorAt(input: GraphInput, { graph }: PlanRequest): GraphTensor {
  const tensor = input.tensor === null ? undefined : graph.tensors[input.tensor]
  invariant(tensor !== undefined, 'obstacles let only operators with weights through')
  return tensor
}

function valuesOf(tensor: GraphTensor): Float32Array {
  const values = tensor.constant?.read() ?? null
  invariant(values !== null, 'obstacles let only constant weights and biases through')
  return values
}
