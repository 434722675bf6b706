import { type KeyObject, sign, verify } from 'node:crypto'

const PURPOSE = 'fitment/1/renew\0'

/** ECDSA P-256 with SHA-256 over `fitment/1/renew`, a zero byte and the payload; IEEE P1363, base64. */
export function signRenewal(payload: string, privateKey: KeyObject): string {
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' as const }
  return sign('sha256', Buffer.from(PURPOSE + payload), key).toString('base64')
}

export function verifyRenewal(payload: string, signature: string, publicKey: KeyObject): boolean {
  const key = { key: publicKey, dsaEncoding: 'ieee-p1363' as const }
  const bytes = Buffer.from(PURPOSE + payload)
  return payload.isWellFormed() && verify('sha256', bytes, key, Buffer.from(signature, 'base64'))
}
