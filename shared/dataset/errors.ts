import { AppError } from '../errors.ts'

export type DatasetErrorCode =
  | 'unreadable'
  | 'corrupt'
  | 'object-array'
  | 'unknown-type'
  | 'missing-array'
  | 'empty'
  | 'length-mismatch'
  | 'not-finite'
  | 'wrong-shape'
  | 'wrong-type'
  | 'wrong-labels'
  | 'too-large'

/** A data file that cannot be used: which file or array, what is wrong, what to do. */
export class DatasetError extends AppError {
  readonly code: DatasetErrorCode

  constructor(
    code: DatasetErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, details, options)
    this.code = code
  }
}
