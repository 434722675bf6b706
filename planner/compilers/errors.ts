import { AppError } from '../../shared/errors.ts'

export type CompilerErrorCode =
  /** This host has none; the message says how to get it. */
  | 'compiler-missing'
  | 'compiler-timeout'
  | 'compiler-failed'
  /** It said that all went well and wrote no file. */
  | 'compiler-wrote-nothing'
  /** Its file is no model, or nothing in it is for the accelerator. */
  | 'compiler-wrote-other'

export class CompilerError extends AppError {
  readonly code: CompilerErrorCode

  constructor(
    code: CompilerErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, details, options)
    this.code = code
  }
}
