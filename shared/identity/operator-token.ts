import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { type Digest, digestOf } from '../digest.ts'
import { digestSchema } from '../digest-schema.ts'
import { isLoopback } from '../loopback.ts'
import { IdentityError } from './errors.ts'
import { parsePasteable, printPasteable } from './pasteable.ts'

/** What an operator's command line must know: which planner, whom to believe, and who asks. */
export interface OperatorToken {
  /** `https://host:port` of the planner; `http:` where it is this machine. */
  readonly planner: string
  /** SHA-256 of the authority's public key. */
  readonly authority: Digest
  /** 32 random bytes. */
  readonly secret: Uint8Array
}

const PREFIX = 'fitop1'
const SECRET_BYTES = 32
const PIN_BYTES = 32
const HEADER_BYTES = SECRET_BYTES + PIN_BYTES

export function newOperatorSecret(): Uint8Array {
  return randomBytes(SECRET_BYTES)
}

/** What the planner keeps of a secret. It is random and long: one hash is as good as many. */
export function operatorSecretDigest(secret: Uint8Array): Digest {
  return digestOf(Buffer.concat([Buffer.from('fitment/1/operator\0'), secret]))
}

export function printOperatorToken({ planner, authority, secret }: OperatorToken): string {
  const bytes = Buffer.concat([secret, Buffer.from(authority, 'hex'), Buffer.from(planner)])
  return printPasteable(PREFIX, bytes)
}

/** @throws IdentityError `malformed-token` */
export function parseOperatorToken(text: string): OperatorToken {
  const bytes = parsePasteable(PREFIX, text)
  const planner = plannerSchema.safeParse(bytes.subarray(HEADER_BYTES).toString('utf8'))
  if (!planner.success) {
    throw new IdentityError('malformed-token', 'the token is of another version of Fitment')
  }
  return {
    planner: planner.data,
    authority: digestSchema.parse(bytes.subarray(SECRET_BYTES, HEADER_BYTES).toString('hex')),
    secret: bytes.subarray(0, SECRET_BYTES),
  }
}

const plannerSchema = z
  .string()
  .max(300)
  .refine((text) => URL.canParse(text) && mayCarryTokens(new URL(text)))

/** What a token is sent to has TLS, or does not leave the machine. */
function mayCarryTokens({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))
}
