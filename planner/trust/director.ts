import type { RuntimeName } from '../../shared/runtime/index.ts'
import type { SigningKey } from '../../shared/signatures/index.ts'
import {
  type DirectorCustom,
  type DirectorPackage,
  type MetadataOf,
  metadataFile,
  STATEMENT_FIELD,
  type Statement,
  statementSchema,
} from '../../shared/trust/index.ts'
import { type SignedDocument, snapshotDocument, targetsOf, timestampDocument } from './documents.ts'
import { signedOnline } from './image-repository.ts'
import { expiryAfter, tufTime } from './lifetimes.ts'

/** One variant a device shall run. */
export interface DirectedVariant extends DirectorCustom {
  readonly runtime: RuntimeName
  readonly digest: string
  readonly bytes: number
}

/** One package of a runtime that a device shall have. */
export interface DirectedPackage extends DirectorPackage {
  readonly digest: string
  readonly bytes: number
}

export interface Direction {
  readonly device: string
  /** Higher than any that was signed for this device before: the caller counts, in its database. */
  readonly version: number
  /** All that the device shall run, or have; none is a statement, too. */
  readonly variants: readonly (DirectedVariant | DirectedPackage)[]
  readonly issuedAt: Date
  /** Until the device must hear from us again. */
  readonly days: number
}

/**
 * The director's files for one device, signed now: nothing to store, since a later version replaces
 * them. Pure but for the signatures, which Ed25519 makes deterministic.
 * @throws KeysError `threshold-not-met` when these keys are not the director's
 */
export function directorFiles(
  direction: Direction,
  keys: readonly SigningKey[],
  root: MetadataOf<'root'>,
): Record<string, string> {
  const { device, version, variants, issuedAt, days } = direction
  const expires = expiryAfter(issuedAt, days)
  const statement: Statement = statementSchema.parse({ device, issuedAt: tufTime(issuedAt) })
  const sign = (role: 'targets' | 'snapshot' | 'timestamp', document: SignedDocument) =>
    signedOnline(role, { ...document, [STATEMENT_FIELD]: statement }, keys, root)

  const targets = sign('targets', {
    _type: 'targets',
    spec_version: '1.0.31',
    version,
    expires,
    targets: targetsOf(variants),
  })
  const snapshot = sign(
    'snapshot',
    snapshotDocument(version, expires, { 'targets.json': { version, bytes: targets } }),
  )
  const timestamp = sign(
    'timestamp',
    timestampDocument(version, expires, { 'snapshot.json': { version, bytes: snapshot } }),
  )
  return {
    'timestamp.json': timestamp.toString(),
    [metadataFile('snapshot', version)]: snapshot.toString(),
    [metadataFile('targets', version)]: targets.toString(),
  }
}
