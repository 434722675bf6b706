import type { Finding } from '../../../shared/findings.ts'
import type { TflModel } from './model.ts'
import { VALIDATION_RULES, type ValidationRule } from './validation-rules.ts'
import type { Violation } from './violations.ts'

/** Enough to show the pattern; a damaged file may break a rule at every tensor. */
const MOST_PER_RULE = 10

/** Violations of the rules; `error` where no runtime would load it. `where` is a place in the tree. */
export function checkTflite(model: TflModel): Finding[] {
  return violationsOf(model).map(({ rule, where, problem }) => ({
    code: `tflite-${rule.code}`,
    severity: rule.severity,
    message: `${where} ${problem}`,
    where,
  }))
}

export function violationsOf(model: TflModel): (Violation & { rule: ValidationRule })[] {
  return VALIDATION_RULES.flatMap((rule) => {
    const violations: (Violation & { rule: ValidationRule })[] = []
    for (const violation of rule.violations(model)) {
      violations.push({ ...violation, rule })
      if (violations.length === MOST_PER_RULE) break
    }
    return violations
  })
}
