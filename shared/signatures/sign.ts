import { sign, verify } from 'node:crypto'
import { invariant } from '../errors.ts'
import type { Signed } from './envelope.ts'
import { SignatureError } from './errors.ts'
import type { SigningKey, TrustedKey } from './keys.ts'

/**
 * What a signature is for: part of the signed bytes, so that a text signed for one purpose means
 * nothing for another.
 */
export const SIGNATURE_PURPOSES = ['join'] as const
export type SignaturePurpose = (typeof SIGNATURE_PURPOSES)[number]

/** Ed25519, RFC 8032, over `fitment/1/<purpose>`, a zero byte, and the payload's UTF-8 bytes. */
export function signPayload(payload: string, key: SigningKey, purpose: SignaturePurpose): Signed {
  invariant(payload.isWellFormed(), 'a signed payload is well-formed text')
  return {
    payload,
    keyId: key.trusted.keyId,
    signature: sign(null, signedBytes(payload, purpose), key.privateKey).toString('base64'),
  }
}

/** The payload, once the trusted key vouches for it. @throws SignatureError `untrusted-key`, `bad-signature` */
export function verifySigned(
  signed: Signed,
  trusted: TrustedKey,
  purpose: SignaturePurpose,
): string {
  if (signed.keyId !== trusted.keyId) {
    throw new SignatureError(
      'untrusted-key',
      `signed by key ${signed.keyId.slice(0, 12)}, but this device trusts ${trusted.keyId.slice(0, 12)}: check the key given at its setup`,
      { keyId: signed.keyId, trusted: trusted.keyId },
    )
  }
  const signature = Buffer.from(signed.signature, 'base64')
  // A lone surrogate has no UTF-8: it would be signed as U+FFFD, and two texts share one signature.
  const genuine =
    signed.payload.isWellFormed() &&
    verify(null, signedBytes(signed.payload, purpose), trusted.publicKey, signature)
  if (!genuine) {
    throw new SignatureError(
      'bad-signature',
      `the signature does not fit the ${purpose}: it was changed on its way, or never signed`,
      { keyId: signed.keyId },
    )
  }
  return signed.payload
}

function signedBytes(payload: string, purpose: SignaturePurpose): Buffer {
  return Buffer.from(`fitment/1/${purpose}\0${payload}`)
}
