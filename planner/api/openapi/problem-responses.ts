import { PROBLEM_TYPE, type ProblemStatus, TITLES } from '../contract/problems.ts'
import type { JsonSchema } from './schemas.ts'

/** Node's reader of HTTP answers before a route is known, with nothing but the status. */
const TOO_LONG = { description: 'Path, query and header fields are longer than 16 KiB' }

export function problems(statuses: readonly ProblemStatus[]): JsonSchema {
  const content = { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } }
  const told = [...statuses]
    .sort()
    .map((status) => [String(status), { description: TITLES[status], content }] as const)
  return { ...Object.fromEntries(told), '431': TOO_LONG }
}
