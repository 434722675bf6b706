import { invariant, messageOf } from '../../shared/errors.ts'
import {
  type MetadataOf,
  parseMetadata,
  type TopRole,
  TrustError,
} from '../../shared/trust/index.ts'

/** Anything more that a file must say before it is believed. @throws TrustError */
export type ExtraCheck = (role: string, metadata: MetadataOf<TopRole>) => void

/**
 * The rules of TUF 1.0 §5.3–5.6, without reading or writing anything: which metadata is believed,
 * given what was believed before. Throws where a rule is broken; then the refresh it serves is over.
 */
export class TrustedSet {
  /** Fixed once the root is settled, TUF 1.0 §5.1. */
  #now: Date | undefined
  readonly #check: ExtraCheck
  #root: MetadataOf<'root'>
  #timestamp: MetadataOf<'timestamp'> | undefined
  #snapshot: MetadataOf<'snapshot'> | undefined
  readonly #targets = new Map<string, MetadataOf<'targets'>>()

  /** @throws TrustError when the root does not vouch for itself; an expired one may lead to a newer */
  constructor(root: Uint8Array, check: ExtraCheck = () => undefined) {
    this.#check = check
    this.#root = parseMetadata('root', root)
    verifySigned(this.#root, 'root', this.#root)
  }

  get root(): MetadataOf<'root'>['signed'] {
    return this.#root.signed
  }
  get timestamp(): MetadataOf<'timestamp'>['signed'] | undefined {
    return this.#timestamp?.signed
  }
  get snapshot(): MetadataOf<'snapshot'>['signed'] | undefined {
    return this.#snapshot?.signed
  }
  targets(role: string): MetadataOf<'targets'>['signed'] | undefined {
    return this.#targets.get(role)?.signed
  }

  /**
   * A role that is believed already, once this delegator vouches for it, too: several may delegate to
   * one role, each naming keys of its own. `undefined` where it is still to be loaded.
   */
  targetsBy(role: string, delegator: string): MetadataOf<'targets'>['signed'] | undefined {
    const known = this.#targets.get(role)
    if (known) verifySigned(this.#delegator(role, delegator), role, known)
    return known?.signed
  }

  /** §5.3.4–5.3.5: signed by the old root's keys and by its own; the very next version. */
  takeRoot(bytes: Uint8Array): void {
    const next = parseMetadata('root', bytes)
    verifySigned(this.#root, 'root', next)
    if (next.signed.version !== this.root.version + 1) {
      throw new TrustError(
        'rollback',
        `root ${next.signed.version} does not follow root ${this.root.version}`,
      )
    }
    verifySigned(next, 'root', next)
    this.#check('root', next)
    this.#root = next
  }

  /** §5.3.10: once there is no newer root. Every expiry from here on is held against `now`. */
  finishRoot(now: Date): void {
    this.#now = now
    this.#refuseExpired('root', this.root)
  }

  /** §5.4. Returns false for a file that was believed before. */
  takeTimestamp(bytes: Uint8Array): boolean {
    const next = parseMetadata('timestamp', bytes)
    verifySigned(this.#root, 'timestamp', next)
    this.#check('timestamp', next)
    const before = this.timestamp
    if (before) {
      refuseLower('timestamp', next.signed.version, before.version)
      if (next.signed.version === before.version) {
        this.finishTimestamp()
        return false
      }
      refuseLower('snapshot', next.signed.snapshotMeta.version, before.snapshotMeta.version)
    }
    // An expired one is kept: it still tells which versions are too old.
    this.#timestamp = next
    this.finishTimestamp()
    return true
  }

  finishTimestamp(): void {
    if (this.timestamp) this.#refuseExpired('timestamp', this.timestamp)
  }

  /** §5.5. `known`: from our own store, where its digest was checked when it came. */
  takeSnapshot(bytes: Buffer, known = false): void {
    const meta = this.#timestampNow().snapshotMeta
    if (!known) verifyMeta('snapshot', meta, bytes)
    const next = parseMetadata('snapshot', bytes)
    verifySigned(this.#root, 'snapshot', next)
    this.#check('snapshot', next)
    for (const [file, { version }] of Object.entries(this.snapshot?.meta ?? {})) {
      const offered = next.signed.meta[file]
      if (!offered) throw new TrustError('rollback', `the new snapshot takes ${file} back`)
      refuseLower(file, offered.version, version)
    }
    this.#snapshot = next
    this.#finishSnapshot()
  }

  /** §5.6, for the top-level role and for delegated ones. */
  takeTargets(bytes: Buffer, role: string, delegator: string): void {
    const meta = this.#finishSnapshot().meta[`${role}.json`]
    if (!meta) throw new TrustError('mix-and-match', `the snapshot does not know ${role}`)
    verifyMeta(role, meta, bytes)
    const next = parseMetadata('targets', bytes)
    verifySigned(this.#delegator(role, delegator), role, next)
    this.#check(role, next)
    if (next.signed.version !== meta.version) {
      throw new TrustError(
        'mix-and-match',
        `${role} has version ${next.signed.version}, the snapshot names ${meta.version}`,
      )
    }
    this.#refuseExpired(role, next.signed)
    this.#targets.set(role, next)
  }

  #delegator(role: string, delegator: string): MetadataOf<'root'> | MetadataOf<'targets'> {
    const parent = delegator === 'root' ? this.#root : this.#targets.get(delegator)
    if (parent) return parent
    throw new TrustError('mix-and-match', `nothing believed delegates to ${role}`)
  }

  #timestampNow(): MetadataOf<'timestamp'>['signed'] {
    this.finishTimestamp()
    if (!this.timestamp) throw new TrustError('drop-request', 'there is no timestamp')
    return this.timestamp
  }

  #finishSnapshot(): MetadataOf<'snapshot'>['signed'] {
    const { snapshotMeta } = this.#timestampNow()
    if (!this.snapshot) throw new TrustError('drop-request', 'there is no snapshot')
    this.#refuseExpired('snapshot', this.snapshot)
    if (this.snapshot.version !== snapshotMeta.version) {
      throw new TrustError(
        'mix-and-match',
        `snapshot has version ${this.snapshot.version}, the timestamp names ${snapshotMeta.version}`,
      )
    }
    return this.snapshot
  }

  #refuseExpired(role: string, signed: MetadataOf<TopRole>['signed']): void {
    invariant(this.#now, 'the root is settled before anything below it')
    if (!signed.isExpired(this.#now)) return
    throw new TrustError(
      'freeze',
      `${role} expired at ${signed.expires}, and here it is ${this.#now.toISOString()}`,
      { role, expires: signed.expires },
    )
  }
}

function verifySigned(
  delegator: MetadataOf<'root'> | MetadataOf<'targets'>,
  role: string,
  metadata: MetadataOf<TopRole>,
): void {
  try {
    delegator.verifyDelegate(role, metadata)
  } catch (error) {
    throw new TrustError('arbitrary-software', messageOf(error), { role }, { cause: error })
  }
}

function verifyMeta(role: string, meta: { verify(bytes: Buffer): void }, bytes: Buffer): void {
  try {
    meta.verify(bytes)
  } catch (error) {
    throw new TrustError(
      'mix-and-match',
      `${role}: ${messageOf(error)}`,
      { role },
      { cause: error },
    )
  }
}

function refuseLower(file: string, version: number, before: number): void {
  if (version >= before) return
  throw new TrustError(
    'rollback',
    `${file} goes back to version ${version}, but ${before} was believed before`,
  )
}
