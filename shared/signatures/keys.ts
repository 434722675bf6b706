import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'
import { messageOf } from '../errors.ts'
import { SignatureError } from './errors.ts'

/** SPKI header of an Ed25519 public key, RFC 8410 §4; the 32 raw bytes follow. */
const SPKI_HEADER = Buffer.from('302a300506032b6570032100', 'hex')
const RAW_BYTES = 32
const PRINTED = /^ed25519:([A-Za-z0-9_-]{43})$/

/** A public key whose signatures are believed. */
export interface TrustedKey {
  /** SHA-256 of the raw public key, 64 hex digits. */
  readonly keyId: string
  readonly publicKey: KeyObject
}

export interface SigningKey {
  readonly trusted: TrustedKey
  readonly privateKey: KeyObject
}

export function generateKeyPair(): SigningKey {
  return signingKeyOf(generateKeyPairSync('ed25519').privateKey)
}

/** PKCS #8 header of an Ed25519 private key, RFC 8410 §7; the 32 bytes of the seed follow. */
const PKCS8_HEADER = Buffer.from('302e020100300506032b657004220420', 'hex')

/** The key pair a secret stands for: always the same one; another purpose gives another. */
export function signingKeyFromSeed(secret: Uint8Array, purpose: string): SigningKey {
  const seed = createHash('sha256').update(`fitment/1/seed/${purpose}\0`).update(secret).digest()
  const key = Buffer.concat([PKCS8_HEADER, seed])
  return signingKeyOf(createPrivateKey({ key, format: 'der', type: 'pkcs8' }))
}

/** One string to paste: `ed25519:` and the raw public key in base64url. */
export function printTrustedKey(key: TrustedKey): string {
  return `ed25519:${rawOf(key.publicKey).toString('base64url')}`
}

/** @throws SignatureError `malformed-key` */
export function parseTrustedKey(text: string): TrustedKey {
  const raw = Buffer.from(PRINTED.exec(text.trim())?.[1] ?? '', 'base64url')
  if (raw.length !== RAW_BYTES) {
    throw new SignatureError(
      'malformed-key',
      'not a public key: paste the whole text that starts with "ed25519:" and has 43 characters after it',
    )
  }
  return trustedKeyOf(
    createPublicKey({ key: Buffer.concat([SPKI_HEADER, raw]), format: 'der', type: 'spki' }),
  )
}

/** PKCS #8 PEM, RFC 5958: for a file that only its owner may read (mode 0600). */
export function printSigningKey(key: SigningKey): string {
  return key.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
}

/** @throws SignatureError `malformed-key` */
export function parseSigningKey(pem: string): SigningKey {
  try {
    const privateKey = createPrivateKey(pem)
    if (privateKey.asymmetricKeyType === 'ed25519') return signingKeyOf(privateKey)
  } catch (error) {
    throw malformedPem(messageOf(error), error)
  }
  throw malformedPem('another kind of key', undefined)
}

function malformedPem(reason: string, cause: unknown): SignatureError {
  return new SignatureError(
    'malformed-key',
    'not an Ed25519 private key in PKCS #8 PEM: restore the key file from its backup',
    { reason },
    { cause },
  )
}

function signingKeyOf(privateKey: KeyObject): SigningKey {
  return { privateKey, trusted: trustedKeyOf(createPublicKey(privateKey)) }
}

function trustedKeyOf(publicKey: KeyObject): TrustedKey {
  return { publicKey, keyId: createHash('sha256').update(rawOf(publicKey)).digest('hex') }
}

function rawOf(publicKey: KeyObject): Buffer {
  return publicKey.export({ format: 'der', type: 'spki' }).subarray(SPKI_HEADER.length)
}
