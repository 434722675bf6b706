import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto'
import { BackupError } from './errors.ts'

/** scrypt, RFC 7914, as planner/trust seals keys; then AES-256-GCM. */
const COST = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 2 ** 17 * 8 } as const
const MAGIC = Buffer.from('fitment-keys-1\n')
const SALT = 16
const NONCE = 12
const TAG = 16

export function seal(bytes: Buffer, passphrase: string): Buffer {
  const salt = randomBytes(SALT)
  const nonce = randomBytes(NONCE)
  const cipher = createCipheriv('aes-256-gcm', keyOf(passphrase, salt), nonce)
  const box = Buffer.concat([cipher.update(bytes), cipher.final()])
  return Buffer.concat([MAGIC, salt, nonce, cipher.getAuthTag(), box])
}

/** @throws BackupError */
export function unseal(sealed: Buffer, passphrase: string): Buffer {
  const start = MAGIC.length
  const [salt, nonce, tag] = [SALT, NONCE, TAG].map((length, i, all) => {
    const at = start + all.slice(0, i).reduce((sum, one) => sum + one, 0)
    return sealed.subarray(at, at + length)
  }) as [Buffer, Buffer, Buffer]
  if (!sealed.subarray(0, start).equals(MAGIC)) {
    throw new BackupError('damaged', 'the file of keys is none that fitment backup wrote')
  }
  try {
    const decipher = createDecipheriv('aes-256-gcm', keyOf(passphrase, salt), nonce, {
      authTagLength: TAG,
    })
    decipher.setAuthTag(tag)
    const box = sealed.subarray(start + SALT + NONCE + TAG)
    return Buffer.concat([decipher.update(box), decipher.final()])
  } catch (cause) {
    throw new BackupError(
      'cannot-unseal',
      'the passphrase does not open the file of keys, or it was damaged',
      { cause },
    )
  }
}

function keyOf(passphrase: string, salt: Buffer): Buffer {
  return scryptSync(passphrase.normalize('NFC'), salt, 32, COST)
}
