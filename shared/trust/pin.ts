import { z } from 'zod'
import type { Digest } from '../digest.ts'
import { TrustError } from './errors.ts'

const PRINTED = /^sha256:([0-9a-f]{64})$/

/** The digest of a trust anchor: short enough to paste, and all that a device must be given. */
export const trustPinSchema = z.string().regex(PRINTED)

export function printTrustPin(anchor: Digest): string {
  return `sha256:${anchor}`
}

/** @throws TrustError `malformed-anchor` */
export function parseTrustPin(text: string): Digest {
  const digest = PRINTED.exec(text.trim())?.[1]
  if (digest !== undefined) return digest
  throw new TrustError(
    'malformed-anchor',
    'not a trust anchor: paste the whole text that starts with "sha256:" and has 64 hex digits after it',
  )
}
