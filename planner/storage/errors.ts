import { AppError } from '../../shared/errors.ts'

export type StorageErrorCode =
  | 'in-use'
  | 'unreachable'
  /** The database server gives out no more. */
  | 'no-connection'
  | 'unreadable'
  /** Written by a later version of this program. */
  | 'newer'
  | 'full'
  | 'unusable'
  | 'unknown-artifact'

export class StorageError extends AppError {
  readonly code: StorageErrorCode

  constructor(
    code: StorageErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, details, options)
    this.code = code
  }
}
