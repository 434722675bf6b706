import { AppError } from '../errors.ts'
import type { AttackName } from './attacks.ts'

export type TrustErrorCode =
  | AttackName
  /** Bytes that are no TUF metadata, or metadata without what Fitment puts into it. */
  | 'malformed-metadata'
  /** The trust anchor given at setup is none. */
  | 'malformed-anchor'
  /** The trust store cannot be read or written. */
  | 'trust-store'

export class TrustError extends AppError {
  readonly code: TrustErrorCode

  constructor(
    code: TrustErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, details, options)
    this.code = code
  }
}
