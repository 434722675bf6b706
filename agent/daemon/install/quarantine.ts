import type { Digest } from '../../../shared/digest.ts'
import { isOneOf } from '../../../shared/open-words.ts'
import { PACKAGED_RUNTIMES } from '../../../shared/runtime/index.ts'
import type { EngineName } from '../../engines/index.ts'
import type { Change } from '../journal/journal-tables.ts'
import type { Records } from '../journal/records.ts'
import type { Refusal } from '../reports.ts'

/** By then the runtime here may be another; a successful probe ends it sooner. */
const QUARANTINE_MS = 7 * 24 * 3_600_000

/** Failures in which the runtime itself went down or hung: to try again costs more than it can win. */
const DEADLY: ReadonlySet<string> = new Set([
  'self-test-crashed',
  'self-test-timeout',
  'crashed',
  'timeout',
])

/**
 * A file that brings one engine down may do well in another. Where an order leaves the engine open, or names one that
 * came with the agent, the variant alone is the key, as it is in journals of old.
 */
export function quarantineKey(variant: Digest, engine?: EngineName): string {
  if (engine === undefined) return variant
  const { runtime, accelerator = null } = engine
  const isOwn = isOneOf(PACKAGED_RUNTIMES, runtime) && accelerator === null
  return isOwn ? variant : `${variant} ${runtime} ${accelerator ?? ''}`.trimEnd()
}

/** The record to write with such a failure; none for any other. */
export function quarantined(
  variant: Digest,
  engine: EngineName | undefined,
  error: Refusal | null,
  now: Date,
): Change[] {
  if (error === null || !DEADLY.has(error.code)) return []
  const value = { variant, at: now.toISOString(), ...error }
  return [{ kind: 'quarantine', key: quarantineKey(variant, engine), value }]
}

/** A clock that was set back since does not make it endless. */
export function isInForce({ at }: Records['quarantine'], now: Date): boolean {
  return Math.abs(now.getTime() - new Date(at).getTime()) < QUARANTINE_MS
}
