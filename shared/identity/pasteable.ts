import { createHash } from 'node:crypto'
import { IdentityError } from './errors.ts'

const CHECKSUM_BYTES = 4
/** Longest text that is looked at. */
const MOST_CHARACTERS = 1024

/** `<prefix>_<base64url>`: one word for a terminal, with a checksum that tells a cut or mistyped paste. */
export function printPasteable(prefix: string, bytes: Uint8Array): string {
  const whole = Buffer.concat([bytes, checksumOf(prefix, bytes)])
  return `${prefix}_${whole.toString('base64url')}`
}

/** White space of a wrapped terminal line is forgiven. @throws IdentityError `malformed-token` */
export function parsePasteable(prefix: string, text: string): Buffer {
  const word = text.length <= MOST_CHARACTERS * 2 ? text.replace(/\s+/g, '') : ''
  const isOurs = word.startsWith(`${prefix}_`) && word.length <= MOST_CHARACTERS
  const body = isOurs ? word.slice(prefix.length + 1) : ''
  const whole = Buffer.from(body, 'base64url')
  const bytes = whole.subarray(0, -CHECKSUM_BYTES)
  // Printing again finds characters that base64url skips over.
  const intact = whole.length > CHECKSUM_BYTES && printPasteable(prefix, bytes) === word
  if (intact) return bytes
  const message = isOurs
    ? 'the token is not whole: a part is missing or mistyped; paste it again'
    : `not a token: paste the whole text that starts with "${prefix}_"`
  throw new IdentityError('malformed-token', message)
}

function checksumOf(prefix: string, bytes: Uint8Array): Buffer {
  return createHash('sha256').update(prefix).update(bytes).digest().subarray(0, CHECKSUM_BYTES)
}
