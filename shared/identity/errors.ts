import { AppError } from '../errors.ts'

/** Why a certificate is not given, or not believed: what a refusal is called in answers, logs and the audit log. */
export const IDENTITY_REFUSALS = {
  'join-token-unknown': 'the planner knows no such join token: ask for a new one',
  'join-token-used': 'the join token was used by another key: ask for a new one, and who used it',
  'join-token-used-up':
    'as many devices as the join token is good for have joined: ask for another',
  'endorsement-missing':
    'the join token is for devices with a certificate of the operator’s own authority: join with --certificate and --key',
  'endorsement-foreign':
    'the certificate that was shown is not of the authority that the join token names, or not valid now',
  'endorsement-wrong-name': 'the certificate that was shown names another device',
  'device-not-listed': 'no device of this name is to join by this token: ask whoever made it',
  'device-revoked': 'the device was revoked: only a token made for its name lets it in again',
  'join-token-expired': 'the join token has expired: ask for a new one',
  'join-token-revoked':
    'the join token was taken back by an operator: ask whoever gave it to you for another',
  'join-token-other-device': 'the join token was made for another device',
  'device-name-taken':
    'a device of this name has a valid certificate: choose another name, or ask for a token made for this device',
  'wrong-fleet': 'the planner serves another fleet',
  'malformed-request': 'the request cannot be read: are agent and planner of one version?',
  'bad-proof': 'the request is not signed by who it says',
  'certificate-missing': 'no certificate was shown',
  'certificate-foreign': 'the certificate is not of this fleet’s authority',
  'certificate-expired': 'the certificate has expired: join again with a new token',
  'certificate-not-yet-valid': 'the certificate is not valid yet: check the clocks',
  'certificate-revoked': 'the certificate was revoked',
  'certificate-wrong-name': 'the certificate names another client than the one that connects',
} as const
export type IdentityRefusalCode = keyof typeof IDENTITY_REFUSALS

export type IdentityErrorCode =
  | IdentityRefusalCode
  /** A pasted token that is none, or was cut or mistyped. */
  | 'malformed-token'
  /** The broker shows another authority than the one the token pins. */
  | 'authority-not-pinned'
  | 'broker-unreachable'
  /** What came in answer to a request is no certificate for it. */
  | 'bad-answer'
  | 'already-joined'
  | 'not-joined'
  /** A key or certificate file that cannot be used. */
  | 'identity-unusable'

export class IdentityError extends AppError {
  readonly code: IdentityErrorCode

  constructor(
    code: IdentityErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, details, options)
    this.code = code
  }
}

export function refusal(
  code: IdentityRefusalCode,
  details: Readonly<Record<string, unknown>> = {},
): IdentityError {
  return new IdentityError(code, IDENTITY_REFUSALS[code], details)
}
