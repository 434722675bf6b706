import { AppError } from '../../shared/errors.ts'

export type ProofErrorCode = 'outputs-differ' | 'not-runnable'

/** A conversion that does not answer as its source; `details` hold errors per output, and where they begin. */
export class ProofError extends AppError {
  readonly code: ProofErrorCode

  constructor(
    code: ProofErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, details, options)
    this.code = code
  }
}
