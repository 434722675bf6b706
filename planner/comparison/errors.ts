import { AppError } from '../../shared/errors.ts'

export type ComparisonErrorCode =
  | 'unsupported-format'
  | 'mixed-formats'
  | 'models-differ'
  | 'does-not-run'

/** The models cannot be compared; the message says which, and why. */
export class ComparisonError extends AppError {
  readonly code: ComparisonErrorCode

  constructor(
    code: ComparisonErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, details, options)
    this.code = code
  }
}
