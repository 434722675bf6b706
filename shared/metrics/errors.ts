import { AppError } from '../errors.ts'

export type MetricErrorCode =
  | 'unknown-metric'
  | 'bad-parameter'
  | 'missing-labels'
  | 'wrong-labels'
  | 'wrong-outputs'
  | 'unmeasurable'
  | 'script-failed'
  | 'script-timeout'

/** A metric that does not go with the model or the labels, or a user's own that went wrong. */
export class MetricError extends AppError {
  readonly code: MetricErrorCode

  constructor(
    code: MetricErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, details, options)
    this.code = code
  }
}
