import { PROBLEM_TYPE, type ProblemStatus, TITLES } from '../contract/problems.ts'
import type { JsonSchema } from './schemas.ts'

export function problems(statuses: readonly ProblemStatus[]): JsonSchema {
  const content = { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } }
  return Object.fromEntries(
    [...statuses]
      .sort()
      .map((status) => [String(status), { description: TITLES[status], content }]),
  )
}
