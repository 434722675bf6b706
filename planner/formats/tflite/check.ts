import type { Finding } from '../../../shared/findings.ts'
import type { TflModel } from './model.ts'
import { LAWS, type Law } from './validation-rules.ts'
import type { Violation } from './violations.ts'

/** Enough to show the pattern; a damaged file may break a law at every tensor. */
const MOST_BREACHES_PER_LAW = 10

/** Violations of the model's laws; `error` where no runtime would load it. `where` is a place in the tree. */
export function checkTflite(model: TflModel): Finding[] {
  return violationsOf(model).map(({ law, where, problem }) => ({
    code: `tflite-${law.code}`,
    severity: law.severity,
    message: `${where} ${problem}`,
    where,
  }))
}

export function violationsOf(model: TflModel): (Violation & { law: Law })[] {
  return LAWS.flatMap((law) => {
    const violations: (Violation & { law: Law })[] = []
    for (const violation of law.violations(model)) {
      violations.push({ ...violation, law })
      if (violations.length === MOST_BREACHES_PER_LAW) break
    }
    return violations
  })
}
