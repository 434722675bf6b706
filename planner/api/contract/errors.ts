import { AppError, UsageError } from '../../../shared/errors.ts'

export type ApiErrorCode =
  | 'no-planner'
  | 'unknown-model'
  | 'unknown-device'
  | 'unknown-class'
  | 'unknown-package'
  | 'device-online'
  /** The files of the revision are there no more. */
  | 'pruned'
  /** Devices run it. */
  | 'in-use'
  | 'nothing-to-do'
  /** A model that must not be registered, unless by force. */
  | 'gate-refused'
  /** Of another revision of the same model. */
  | 'rollout-under-way'
  /** No batch of that name waits for signatures. */
  | 'unknown-batch'
  | 'broken-answer'
  /** The broker of this planner has no TLS: there is nothing to join. */
  | 'no-tls'
  /** This planner has no listener for operators elsewhere. */
  | 'no-listener'
  /** No token, or one that is unknown, revoked or expired. */
  | 'not-known'
  /** The operator's role is not enough. */
  | 'forbidden'
  /** A page of another site asks with a session of this one. */
  | 'cross-site'
  | 'no-such-path'
  | 'no-such-method'
  /** Not JSON, or a cursor of no list. */
  | 'malformed'
  | 'too-long'
  /** The body is of another kind than is wanted. */
  | 'not-json'
  /** Of one caller's requests at a time. */
  | 'too-many'
  /** The planner is on its way out. */
  | 'leaving'
  /** Under this idempotency key: something else was asked, is still being done, or was done and is not told twice. */
  | 'key-reused'
  | 'in-progress'
  | 'already-done'
  | 'unknown-rollout'
  /** No file of that digest is released. */
  | 'unknown-file'
  | 'unknown-window'
  | 'unknown-operator'
  | 'unknown-webhook'
  | 'unknown-delivery'
  | 'webhook-exists'
  /** An address that no webhook may have. */
  | 'bad-address'

export class ApiError extends AppError {
  readonly code: ApiErrorCode

  constructor(
    code: ApiErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message, details)
    this.code = code
  }
}

/** A field of an input, and what is wrong with it. */
export interface FieldError {
  readonly path: string
  readonly message: string
}

/** An input of another shape. */
export class ShapeError extends UsageError {
  readonly fields: readonly FieldError[]

  constructor(what: string, fields: readonly FieldError[]) {
    const told = fields.map(({ path, message }) => `${path || 'input'}: ${message}`)
    super(`${what}: ${told.join('; ')}`)
    this.fields = fields
  }
}

/** What went wrong at the planner's end, as it said it. */
export class RemoteError extends AppError {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}
