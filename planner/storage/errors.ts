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
  /** S3 will not, and a second try would not mend it. */
  | 'store-refused'
  /** Of an artifact, other than its name says. */
  | 'wrong-bytes'
  /** Another place of artifacts than this database's. */
  | 'other-artifacts'
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
