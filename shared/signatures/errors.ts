import { AppError } from '../errors.ts'

export type SignatureErrorCode =
  /** The envelope names another key than the one trusted here. */
  | 'untrusted-key'
  /** The payload was changed, or signed for another purpose. */
  | 'bad-signature'
  /** A pasted key or a key file that is none. */
  | 'malformed-key'

export class SignatureError extends AppError {
  readonly code: SignatureErrorCode

  constructor(
    code: SignatureErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, details, options)
    this.code = code
  }
}
