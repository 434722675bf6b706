import type { AffineParameters, GraphOperator, TensorId } from '../../../graph/index.ts'
import { activationParameters, rangeOf } from '../../parameters/activation.ts'
import type { PlanRequest } from '../request.ts'
import type { ScaleGroups } from './scale-groups.ts'

/** Parameters under which an integer operator wants to read one of its activations. */
export function wantedParameters(
  operator: GraphOperator,
  tensor: TensorId,
  scales: ScaleGroups,
  request: PlanRequest,
): AffineParameters | null {
  const law = request.facts[operator.kind].integer?.output.law
  const constant = request.graph.tensors[tensor]?.constant ?? null
  const follows = law === 'same-as-output' || (law === 'same-as-input' && constant !== null)
  const output = operator.outputs[0]
  if (follows && output !== undefined) return scales.parametersOf(output)
  if (constant === null) return scales.parametersOf(tensor)
  const range = rangeOf(constant.read() ?? new Float32Array(0))
  return range === null ? null : activationParameters(range, request.forms.activations)
}
