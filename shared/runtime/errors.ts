import { AppError } from '../errors.ts'

export type RuntimeErrorCode =
  | 'runtime-missing'
  | 'not-loadable'
  | 'wrong-input'
  | 'run-failed'
  | 'out-of-memory'

export class RuntimeError extends AppError {
  readonly code: RuntimeErrorCode

  constructor(
    code: RuntimeErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, details, options)
    this.code = code
  }
}
