import { sign } from 'node:crypto'
import { Signature } from '@tufjs/models'
import { digestOf } from '../digest.ts'
import type { SigningKey, TrustedKey } from '../signatures/index.ts'
import { parseTrustedKey, printTrustedKey } from '../signatures/index.ts'

/** A public key as TUF 1.0 §4.2 writes it. Fields in the order of canonical JSON. */
export interface TufKey {
  readonly keytype: 'ed25519'
  readonly keyval: { readonly public: string }
  readonly scheme: 'ed25519'
}

export function tufKeyOf(key: TrustedKey): TufKey {
  const raw = Buffer.from(printTrustedKey(key).slice('ed25519:'.length), 'base64url')
  return { keytype: 'ed25519', keyval: { public: raw.toString('hex') }, scheme: 'ed25519' }
}

const keyIds = new WeakMap<TrustedKey, string>()

/** SHA-256 of the canonical JSON of the key, TUF 1.0 §4.2: not the key id of `shared/signatures`. */
export function tufKeyId(key: TrustedKey): string {
  const known = keyIds.get(key)
  if (known !== undefined) return known
  const id = digestOf(JSON.stringify(tufKeyOf(key)))
  keyIds.set(key, id)
  return id
}

/** @throws SignatureError `malformed-key` */
export function trustedKeyOf(key: TufKey): TrustedKey {
  return parseTrustedKey(`ed25519:${Buffer.from(key.keyval.public, 'hex').toString('base64url')}`)
}

/** For `Metadata.sign`. */
export function signerOf(key: SigningKey): (bytes: Buffer) => Signature {
  const keyID = tufKeyId(key.trusted)
  return (bytes) => new Signature({ keyID, sig: sign(null, bytes, key.privateKey).toString('hex') })
}
