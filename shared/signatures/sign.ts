import { sign, verify } from 'node:crypto'
import { invariant } from '../errors.ts'
import type { Signed, Vouched } from './envelope.ts'
import { SignatureError } from './errors.ts'
import type { SigningKey, TrustedKey } from './keys.ts'

/**
 * What a signature is for: part of the signed bytes, so that a text signed for one purpose means
 * nothing for another.
 */
export const SIGNATURE_PURPOSES = ['join', 'probe', 'shipment'] as const
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
  if (!isGenuine(signed, trusted, purpose)) {
    throw new SignatureError(
      'bad-signature',
      `the signature does not fit the ${purpose}: it was changed on its way, or never signed`,
      { keyId: signed.keyId },
    )
  }
  return signed.payload
}

/** By all of these keys. */
export function vouchFor(
  payload: string,
  keys: readonly SigningKey[],
  purpose: SignaturePurpose,
): Vouched {
  const signatures = keys.map((key) => {
    const { keyId, signature } = signPayload(payload, key, purpose)
    return { keyId, signature }
  })
  return { payload, signatures }
}

/** How many of these keys, each counted once, vouch for the payload. */
export function countVouchers(
  { payload, signatures }: Vouched,
  trusted: readonly TrustedKey[],
  purpose: SignaturePurpose,
): number {
  const keys = new Map(trusted.map((key) => [key.keyId, key]))
  return [...keys.values()].filter((key) =>
    signatures.some(
      (named) => named.keyId === key.keyId && isGenuine({ ...named, payload }, key, purpose),
    ),
  ).length
}

function isGenuine(
  { payload, signature }: Signed,
  { publicKey }: TrustedKey,
  purpose: SignaturePurpose,
): boolean {
  // A lone surrogate has no UTF-8: it would be signed as U+FFFD, and two texts share one signature.
  return (
    payload.isWellFormed() &&
    verify(null, signedBytes(payload, purpose), publicKey, Buffer.from(signature, 'base64'))
  )
}

function signedBytes(payload: string, purpose: SignaturePurpose): Buffer {
  return Buffer.from(`fitment/1/${purpose}\0${payload}`)
}
