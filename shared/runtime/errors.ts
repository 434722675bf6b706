import { AppError } from '../errors.ts'

export type RuntimeErrorCode =
  | 'runtime-missing'
  /** A native library that cannot be opened, or is not what it is named as. */
  | 'library-unusable'
  /** A delegate that cannot be made, or breaks. */
  | 'delegate-failed'
  /** A delegate that was asked for took nothing, or less than was asked. */
  | 'not-accelerated'
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
