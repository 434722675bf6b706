import { z } from 'zod'
import { AppError, messageOf } from '../../../shared/errors.ts'
import { ShapeError } from './errors.ts'

export const PROBLEM_TYPE = 'application/problem+json'

/** The one shape of everything that went wrong (RFC 9457), with our code beside it. */
export const problemSchema = z.object({
  type: z.string(),
  /** Of the status, in words. */
  title: z.string(),
  status: z.number().int(),
  /** One line: what is wrong, and what to do. */
  detail: z.string(),
  code: z.string(),
  /** Field by field, where the input has another shape. */
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
})
export type Problem = z.infer<typeof problemSchema>

/** Every status of a problem, in words. */
export const TITLES = {
  400: 'The request cannot be read',
  401: 'Nobody known asks',
  403: 'The role is not enough',
  404: 'There is no such thing',
  405: 'Not asked that way',
  409: 'It does not go with how things are',
  413: 'Too long',
  415: 'Another kind of content is wanted',
  422: 'What was given cannot be used',
  429: 'Too many at once',
  500: 'The planner is at fault',
  503: 'Not now',
} as const
export type ProblemStatus = keyof typeof TITLES

/** Of a code. What stands nowhere here is about what was given: a file, a number, a name. */
const STATUS_OF: Readonly<Record<string, ProblemStatus>> = {
  malformed: 400,
  'not-known': 401,
  forbidden: 403,
  'cross-site': 403,
  'no-such-path': 404,
  'unknown-model': 404,
  'unknown-device': 404,
  'unknown-class': 404,
  'unknown-package': 404,
  'unknown-batch': 404,
  'unknown-rollout': 404,
  'unknown-file': 404,
  'unknown-window': 404,
  'unknown-webhook': 404,
  'unknown-delivery': 404,
  'unknown-operator': 404,
  'no-such-key': 404,
  'no-such-method': 405,
  'nothing-to-do': 409,
  'rollout-refused': 409,
  'rollout-under-way': 409,
  'in-use': 409,
  'device-online': 409,
  'gate-refused': 409,
  pruned: 409,
  'stale-batch': 409,
  'key-exists': 409,
  'webhook-exists': 409,
  'no-tls': 409,
  'no-listener': 409,
  'in-progress': 409,
  'already-done': 409,
  'too-long': 413,
  'not-json': 415,
  'too-many': 429,
  leaving: 503,
  full: 503,
  unreachable: 503,
  'store-refused': 500,
  'wrong-bytes': 500,
  invariant: 500,
  internal: 500,
}

export function statusOf(code: string): ProblemStatus {
  return Object.hasOwn(STATUS_OF, code) ? (STATUS_OF[code] ?? 422) : 422
}

/** What a caller is told of any error; an unknown one is the planner's fault, and its log has it. */
export function problemOf(error: unknown): Problem {
  const code = error instanceof AppError ? error.code : 'internal'
  const status = statusOf(code)
  const fields = error instanceof ShapeError ? error.fields : undefined
  return {
    type: `urn:fitment:problem:${code}`,
    title: TITLES[status],
    status,
    detail: messageOf(error),
    code,
    ...(fields && { errors: [...fields] }),
  }
}
