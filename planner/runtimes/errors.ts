import { AppError } from '../../shared/errors.ts'

export type RuntimeFileErrorCode =
  | 'unreadable'
  /** Neither a wheel nor a shared library, or one of something else. */
  | 'no-runtime'
  | 'damaged'
  /** Names files outside itself. */
  | 'hostile-archive'
  | 'too-large'
  | 'mixed-architectures'
  | 'missing-symbols'

/** A file that no package can be made of: what is wrong with it, and what would do. */
export class RuntimeFileError extends AppError {
  readonly code: RuntimeFileErrorCode

  constructor(
    code: RuntimeFileErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, details, options)
    this.code = code
  }
}
