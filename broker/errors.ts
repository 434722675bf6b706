import { AppError } from '../shared/errors.ts'
import type { IdentityRefusalCode } from '../shared/identity/index.ts'

export type BrokerErrorCode =
  /** No connection, or one that has not subscribed this channel. */
  | 'device-offline'
  /** The device does not take its bytes as fast as they come. */
  | 'device-busy'
  /** The port is taken, or may not be opened. */
  | 'cannot-listen'

export class BrokerError extends AppError {
  readonly code: BrokerErrorCode

  constructor(
    code: BrokerErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, details, options)
    this.code = code
  }
}

/**
 * Return codes of MQTT 3.1.1 §3.2.2.3, as near to the reason as they come: 2 another client id, 4 another
 * certificate, 5 not at all.
 */
const RETURN_CODES: Partial<Readonly<Record<IdentityRefusalCode, 2 | 4 | 5>>> = {
  'certificate-wrong-name': 2,
  'certificate-missing': 4,
  'certificate-foreign': 4,
  'certificate-expired': 4,
  'certificate-not-yet-valid': 4,
  'certificate-revoked': 5,
}

export function returnCodeOf(reason: IdentityRefusalCode | undefined): 2 | 4 | 5 {
  return (reason && RETURN_CODES[reason]) ?? 5
}
