import type { Finding } from '../../../shared/findings.ts'
import { budgetFinding, minimumFinding } from '../accuracy-control/findings.ts'
import { duplicateNames } from '../duplicate-names.ts'
import { largerFile } from '../larger-file.ts'
import { saturationFindings } from '../plan/saturation.ts'
import { isCalibrated } from '../request.ts'
import { verify } from '../verify.ts'
import type { Performed, Verified } from './state.ts'

/** Runs the file where it is for, and gathers what there is to tell. @throws QuantizerError `verification-failed` */
export async function verifyFile(state: Performed): Promise<Verified> {
  const { plan, bytes, candidate, pool, request, compressed, opened, measured, budget } = state
  const sizes = { source: request.model.length, bytes: bytes.length, scheme: request.scheme }
  const audit = candidate.model.audit?.(plan) ?? null
  const verifying = verify(bytes, audit, pool, request.calibration)
  verifying.catch(() => {})
  // While another thread tries the file out.
  const risks = saturation(state)
  const findings = [
    ...(compressed ?? opened).findings,
    ...duplicateNames(opened.graph),
    ...measured.findings,
    ...plan.findings,
    ...risks,
    ...(await verifying),
    ...largerFile(sizes, plan, candidate.model.graph, opened.findings),
    ...(budget === undefined ? [] : [budgetFinding(budget)]),
    ...(budget === undefined ? [] : minimumFinding(budget, request.options?.budget?.minimum)),
  ]
  return { ...state, findings }
}

/** Only unsigned activations with weights of 8 bits meet the kernels that could. */
function saturation({ candidate, plan, request }: Performed): Finding[] {
  const { model, statistics } = candidate
  const { activations, weightBits } = candidate.request.forms
  const { scheme } = request
  const instead = isCalibrated(scheme) ? '-u8s8-rr' : `${scheme.base}-rr`
  const asked = activations === 'uint8' && weightBits === 8
  return asked ? saturationFindings(plan, model.graph, statistics, instead) : []
}
