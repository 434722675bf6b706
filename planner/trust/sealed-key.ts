import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { z } from 'zod'
import { parseJson } from '../../shared/json.ts'
import { parseSigningKey, printSigningKey, type SigningKey } from '../../shared/signatures/index.ts'
import { KeysError } from './errors.ts'

/** scrypt, RFC 7914: 2^17 × 8 × 1 costs 128 MiB and about half a second per guess (OWASP's minimum). */
export interface ScryptCost {
  readonly N: number
  readonly r: number
  readonly p: number
}
const COST: ScryptCost = { N: 2 ** 17, r: 8, p: 1 }
const KEY_BYTES = 32
const CIPHER = 'aes-256-gcm'

const base64 = z.string().regex(/^[A-Za-z0-9+/=]{1,4096}$/)
const sealedSchema = z.object({
  v: z.literal(1),
  kdf: z.literal('scrypt'),
  /** Bounded: a planted file must not make us allocate gigabytes. */
  N: z
    .number()
    .int()
    .min(2)
    .max(2 ** 20),
  r: z.number().int().min(1).max(16),
  p: z.number().int().min(1).max(4),
  salt: base64,
  cipher: z.literal(CIPHER),
  nonce: base64,
  tag: base64,
  box: base64,
})

/** The private key under a passphrase, as JSON text: scrypt, then AES-256-GCM over its PEM. */
export async function sealKey(key: SigningKey, passphrase: string, cost = COST): Promise<string> {
  const salt = randomBytes(16)
  const nonce = randomBytes(12)
  const cipher = createCipheriv(CIPHER, await stretch(passphrase, salt, cost), nonce)
  const box = Buffer.concat([cipher.update(printSigningKey(key)), cipher.final()])
  const text = (bytes: Buffer) => bytes.toString('base64')
  const sealed: z.infer<typeof sealedSchema> = {
    v: 1,
    kdf: 'scrypt',
    ...cost,
    salt: text(salt),
    cipher: CIPHER,
    nonce: text(nonce),
    tag: text(cipher.getAuthTag()),
    box: text(box),
  }
  return `${JSON.stringify(sealed)}\n`
}

/** @throws KeysError `malformed-key-file`, `cannot-unseal` */
export async function unsealKey(text: string, passphrase: string): Promise<SigningKey> {
  const sealed = parseSealed(text)
  const bytes = (field: string) => Buffer.from(field, 'base64')
  try {
    const key = await stretch(passphrase, bytes(sealed.salt), sealed)
    const decipher = createDecipheriv(CIPHER, key, bytes(sealed.nonce), { authTagLength: 16 })
    decipher.setAuthTag(bytes(sealed.tag))
    const pem = Buffer.concat([decipher.update(bytes(sealed.box)), decipher.final()])
    return parseSigningKey(pem.toString())
  } catch (error) {
    throw new KeysError(
      'cannot-unseal',
      'the passphrase does not open this key',
      {},
      { cause: error },
    )
  }
}

export function isSealed(text: string): boolean {
  return text.startsWith('{')
}

function parseSealed(text: string): z.infer<typeof sealedSchema> {
  try {
    return parseJson(sealedSchema, text)
  } catch (error) {
    throw new KeysError(
      'malformed-key-file',
      'not a sealed key: restore the key file from its backup',
      {},
      { cause: error },
    )
  }
}

function stretch(passphrase: string, salt: Buffer, { N, r, p }: ScryptCost): Promise<Buffer> {
  // Node's own limit of 32 MiB is below what the cost asks for.
  const maxmem = 256 * N * r
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFC'), salt, KEY_BYTES, { N, r, p, maxmem }, (error, key) => {
      if (error) reject(error)
      else resolve(key)
    })
  })
}
