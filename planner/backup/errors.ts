import { AppError } from '../../shared/errors.ts'

export type BackupErrorCode =
  /** No backup, cut short, or with files that are not what they are called. */
  | 'damaged'
  /** Something that was to be copied changed all the time. */
  | 'changed'
  | 'cannot-unseal'
  | 'cannot-write'
  /** A restore goes into a folder of its own. */
  | 'not-empty'
  | 'nothing-there'

export class BackupError extends AppError {
  readonly code: BackupErrorCode

  constructor(code: BackupErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, {}, options)
    this.code = code
  }
}
