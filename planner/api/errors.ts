import { AppError } from '../../shared/errors.ts'

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

/** What went wrong at the planner's end, as it said it. */
export class RemoteError extends AppError {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}
