import { hasSuffix, type Scheme } from '../../../shared/schemes.ts'
import { compressionFindings, reportCompression } from '../compression/report.ts'
import { layerLosses } from '../levels/layer-losses.ts'
import { isCalibrated } from '../request.ts'
import type { QuantizeResult } from '../result.ts'
import type { Judged } from './state.ts'

export async function reportResult(state: Judged): Promise<QuantizeResult> {
  const { bytes, target, request, findings, plan, steps, budget, compressed, candidate, level } =
    state
  const { scheme } = request
  const result = {
    bytes,
    format: target.format,
    target: request.target,
    scheme: candidate.request.keepFloat.length > 0 ? mixed(scheme) : scheme,
    findings,
    plan,
    operators: plan.operators,
    recovery: steps,
    losses: layerLosses(candidate, plan),
    ...(level && { level }),
    ...(budget && { budget }),
  }
  if (compressed === null) return result
  const { weightBits } = state.forms
  const compression = await reportCompression(candidate.model, plan, bytes, compressed, weightBits)
  return {
    ...result,
    findings: [...findings, ...compressionFindings(compression)],
    compression,
  }
}

/** A file with operators left in float on purpose says so in its scheme's name. */
function mixed(scheme: Scheme): Scheme {
  if (!isCalibrated(scheme) || hasSuffix(scheme, 'mixed')) return scheme
  return { ...scheme, suffixes: [...scheme.suffixes, 'mixed'] }
}
