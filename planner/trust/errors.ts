import { AppError } from '../../shared/errors.ts'

export type KeysErrorCode =
  /** Wrong passphrase, or a sealed key file that was changed. */
  | 'cannot-unseal'
  | 'malformed-key-file'
  | 'key-exists'
  | 'no-such-key'
  /** A request or signature file that is none, or belongs to another request. */
  | 'malformed-request'
  /** Drafted before something else was published. */
  | 'stale-batch'
  /** A signature by a key that is not asked for, or that does not fit. */
  | 'bad-signature'
  /** Published only once enough keys have signed. */
  | 'threshold-not-met'
  /** A threshold above the number of keys, a role without keys. */
  | 'impossible-policy'
  /** The repository on disk is not what was signed. */
  | 'repository-damaged'
  | 'already-initialised'

export class KeysError extends AppError {
  readonly code: KeysErrorCode

  constructor(
    code: KeysErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, details, options)
    this.code = code
  }
}
