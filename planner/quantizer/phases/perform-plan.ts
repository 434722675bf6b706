import type { Finding } from '../../../shared/findings.ts'
import { BASE_SCHEMES, printScheme, type Scheme } from '../../../shared/schemes.ts'
import type { Plan, QuantizableModel } from '../../graph/index.ts'
import { QuantizerError } from '../errors.ts'
import { finalPlan } from './hold-accuracy.ts'
import type { Held, Performed } from './state.ts'

/** Writes the file. @throws QuantizerError `nothing-to-quantize`, `target-too-old` */
export function performPlan(state: Held): Performed {
  const { candidate, opened, request, source } = state
  const plan = finalPlan(candidate, state)
  refuseEmpty(plan, request.scheme, opened.findings)
  const bytes = plan.instructions.length === 0 ? source.model : candidate.model.perform(plan)
  refuseUnloadable(candidate.model, bytes, request.options?.release)
  return { ...state, plan, bytes }
}

/** A variant that computes like its source is none. */
function refuseEmpty(plan: Plan, scheme: Scheme, ofSource: readonly Finding[]): void {
  if (BASE_SCHEMES[scheme.base].weights === 'float32' || plan.instructions.length > 0) return
  // A source that is quantized already explains more than any single operator does.
  const telling = ofSource.filter(({ severity }) => severity !== 'info')
  const findings = [...telling, ...plan.findings]
  const reason = findings[0]?.message ?? 'it has no float operator that the scheme covers'
  throw new QuantizerError(
    'nothing-to-quantize',
    `${printScheme(scheme)} would change nothing in this model: ${reason}`,
    { findings },
  )
}

/** Float operators have no older form to fall back to. */
function refuseUnloadable(
  model: QuantizableModel,
  bytes: Uint8Array,
  release: string | undefined,
): void {
  const findings = release === undefined ? [] : (model.unloadable?.(bytes, release) ?? [])
  if (findings.length === 0) return
  const reasons = findings.map(({ message }) => message).join('; ')
  throw new QuantizerError('target-too-old', reasons, { findings })
}
