import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { Digest } from '../digest.ts'
import { digestSchema } from '../digest-schema.ts'
import { deviceIdSchema, fleetSchema } from '../ids.ts'
import { type SigningKey, signingKeyFromSeed } from '../signatures/index.ts'
import { parseTrustPin, printTrustPin } from '../trust/index.ts'
import { IdentityError } from './errors.ts'
import { parsePasteable, printPasteable } from './pasteable.ts'

/** What a device must know to join: whom to call, whom to believe, and what lets it in once. */
export interface JoinToken {
  /** `mqtts://host:port` */
  readonly broker: string
  readonly fleet: string
  /** SHA-256 of the authority's public key. */
  readonly authority: Digest
  /** Digest of the trust anchor: `sha256:…`. */
  readonly trust: string
  /** 16 random bytes. */
  readonly secret: Uint8Array
  /** The only device that may use it; absent: the device chooses a name that is free. */
  readonly device?: string
}

const PREFIX = 'fitjoin1'
const SECRET_BYTES = 16
const PIN_BYTES = 32
const HEADER_BYTES = SECRET_BYTES + 2 * PIN_BYTES

export function newJoinSecret(): Uint8Array {
  return randomBytes(SECRET_BYTES)
}

/**
 * The key a secret stands for. The device signs its request with it; the planner keeps the public half
 * only, from which no request can be made.
 */
export function joinKeyOf(secret: Uint8Array): SigningKey {
  return signingKeyFromSeed(secret, 'join')
}

export function printJoinToken(token: JoinToken): string {
  const { broker, fleet, authority, trust, secret, device } = token
  const words = device === undefined ? [broker, fleet] : [broker, fleet, device]
  return printPasteable(
    PREFIX,
    Buffer.concat([
      secret,
      Buffer.from(authority, 'hex'),
      Buffer.from(parseTrustPin(trust), 'hex'),
      Buffer.from(words.join(' ')),
    ]),
  )
}

const wordsSchema = z.union([
  z.tuple([brokerSchema(), fleetSchema]),
  z.tuple([brokerSchema(), fleetSchema, deviceIdSchema]),
])

/** @throws IdentityError `malformed-token` */
export function parseJoinToken(text: string): JoinToken {
  const bytes = parsePasteable(PREFIX, text)
  const words = wordsSchema.safeParse(bytes.subarray(HEADER_BYTES).toString('utf8').split(' '))
  if (!words.success) {
    throw new IdentityError('malformed-token', 'the token is of another version of Fitment')
  }
  const [broker, fleet, device] = words.data
  const pinEnd = SECRET_BYTES + PIN_BYTES
  return {
    broker,
    fleet,
    authority: digestSchema.parse(bytes.subarray(SECRET_BYTES, pinEnd).toString('hex')),
    trust: printTrustPin(bytes.subarray(pinEnd, HEADER_BYTES).toString('hex')),
    secret: bytes.subarray(0, SECRET_BYTES),
    ...(device !== undefined && { device }),
  }
}

function brokerSchema() {
  return z
    .string()
    .max(300)
    .refine((url) => URL.canParse(url) && new URL(url).protocol === 'mqtts:', 'mqtts://host:port')
}
