import type {
  GraphOperator,
  GraphTensor,
  Instruction,
  OperatorId,
  Use,
} from '../../../graph/index.ts'
import { FLOAT32, type Form, sameForm, usesOf } from '../../../graph/index.ts'
import { activationParameters, asUint8 } from '../../parameters/activation.ts'
import type { PlanRequest } from '../request.ts'
import type { ScaleGroups } from './scale-groups.ts'
import { wantedParameters } from './wanted.ts'

/** Which form every activation is made in, and the conversions its readers need. */
export function planFlow(
  request: PlanRequest,
  integer: ReadonlySet<OperatorId>,
  scales: ScaleGroups,
): Instruction[] {
  const flow: Flow = { request, integer, scales }
  return request.graph.tensors
    .filter((tensor) => tensor.type === 'float32' && tensor.constant === null)
    .flatMap((tensor) => planTensor(tensor, flow))
}

interface Flow {
  readonly request: PlanRequest
  readonly integer: ReadonlySet<OperatorId>
  readonly scales: ScaleGroups
}

function planTensor(tensor: GraphTensor, flow: Flow): Instruction[] {
  const made = madeForm(tensor, flow)
  const wanted: { form: Form; uses: Use[] }[] = []
  for (const use of usesOf(flow.request.links, tensor.id)) {
    const form = wantedForm(tensor, use, flow)
    const known = wanted.find((entry) => sameForm(entry.form, form))
    if (known === undefined) wanted.push({ form, uses: [use] })
    else known.uses.push(use)
  }
  const conversions = wanted
    .filter(({ form }) => !sameForm(form, made))
    .map(
      ({ form, uses }): Instruction => ({
        verb: 'convert',
        tensor: tensor.id,
        from: made,
        to: form,
        uses,
      }),
    )
  if (made.type === 'float32') return conversions
  return [{ verb: 'set-activation', tensor: tensor.id, form: made }, ...conversions]
}

function madeForm(tensor: GraphTensor, flow: Flow): Form {
  const producer = flow.request.links.producers[tensor.id] ?? null
  if (producer === null) return edgeForm(tensor, flow)
  const operator = flow.request.graph.operators[producer]
  const law = operator && flow.request.facts[operator.kind].integer?.output.law
  if (!flow.integer.has(producer) || law === 'no-numbers') return FLOAT32
  return canStayFloat(tensor, operator, flow) ? FLOAT32 : heldForm(tensor, flow)
}

/** A kernel that gives out float32 by itself need not round for readers that want float32 anyway. */
function canStayFloat(tensor: GraphTensor, maker: GraphOperator | undefined, flow: Flow): boolean {
  const able = maker !== undefined && flow.request.facts[maker.kind].floatResult === true
  const uses = usesOf(flow.request.links, tensor.id)
  return able && uses.every((use) => wantedForm(tensor, use, flow).type === 'float32')
}

function wantedForm(tensor: GraphTensor, use: Use, flow: Flow): Form {
  if (use.kind === 'output') return edgeForm(tensor, flow)
  const operator = flow.request.graph.operators[use.operator]
  if (operator === undefined || !flow.integer.has(use.operator)) return FLOAT32
  if (operator.inputs[use.position]?.role !== 'activation') return FLOAT32
  const parameters = wantedParameters(operator, tensor.id, flow.scales, flow.request)
  return parameters === null ? FLOAT32 : { type: flow.request.forms.activations, parameters }
}

/** The form inside the integer part of the graph. */
function heldForm(tensor: GraphTensor, { scales, request }: Flow): Form {
  const parameters = scales.parametersOf(tensor.id)
  return parameters === null ? FLOAT32 : { type: request.forms.activations, parameters }
}

/** The form at the model's inputs and outputs; subgraphs that operators call keep what those expect. */
function edgeForm(tensor: GraphTensor, flow: Flow): Form {
  const { forms, measured } = flow.request
  const { activations } = forms
  const edges = measured ? 'float32' : forms.edges
  const entry = flow.request.graph.subgraphs[tensor.subgraph]?.entry ?? false
  if (edges === 'float32' || !entry) return FLOAT32
  const held = heldForm(tensor, flow)
  if (edges === activations || !('parameters' in held)) return held
  if (edges === 'uint8' && activations === 'int8') {
    return { type: 'uint8', parameters: asUint8(held.parameters) }
  }
  const range = flow.request.ranges.get(tensor.id)
  return range === undefined
    ? held
    : { type: edges, parameters: activationParameters(range, edges) }
}
