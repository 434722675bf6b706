import {
  type MetadataOf,
  metadataFile,
  TRUST_LIMITS,
  TrustError,
  type TrustLimits,
} from '../../shared/trust/index.ts'
import { findTarget, type TargetFound } from './delegations.ts'
import type { DurableStore } from './durable-store.ts'
import { Deadline, fetchBounded, type MetadataSource } from './source.ts'
import { type ExtraCheck, TrustedSet } from './trusted-set.ts'

export interface RepositoryClientOptions {
  readonly store: DurableStore
  readonly limits?: Partial<TrustLimits>
  readonly check?: ExtraCheck
}

export type RootSigned = MetadataOf<'root'>['signed']
/** How late it is, asked once the newest root is believed: which keys vouch for the time depends on it. */
export type TimeUnder = (root: RootSigned) => Date | Promise<Date>

/** The client workflow of TUF 1.0 §5 for one repository, its memory on disk. */
export class RepositoryClient {
  readonly #options: RepositoryClientOptions
  readonly #limits: TrustLimits

  constructor(options: RepositoryClientOptions) {
    this.#options = options
    this.#limits = { ...TRUST_LIMITS, ...options.limits }
  }

  /**
   * Fetches what is new, believes what verifies, and remembers it.
   * @throws TrustError named after the attack it looks like; what was believed before stays
   */
  async refresh(source: MetadataSource, time: TimeUnder): Promise<RefreshedRepository> {
    const run = await this.#begin(source, time)
    await run.timestamp()
    await run.snapshot()
    await run.targets('targets', 'root')
    return run
  }

  /** The newest root only: for what its keys sign beside metadata. @throws TrustError */
  async followRoots(source: MetadataSource, time: TimeUnder): Promise<RootSigned> {
    const run = await this.#begin(source, time)
    return run.trusted.root
  }

  async #begin(source: MetadataSource, time: TimeUnder): Promise<Refresh> {
    const root = await this.#trustedRoot()
    if (!root) throw new TrustError('trust-store', 'there is no root to begin with')
    const run = new Refresh(this.#options, this.#limits, source, root)
    await run.roots()
    run.trusted.finishRoot(await time(run.trusted.root))
    return run
  }

  /** Version of the root believed now; 0 for none, or none that is whole. */
  async rootVersion(): Promise<number> {
    return (await this.#trustedRoot())?.root.version ?? 0
  }

  /** From here on this root is believed, without proof: the caller knows where it is from. */
  async adopt(root: Uint8Array): Promise<void> {
    const { store, check } = this.#options
    new TrustedSet(root, check)
    await store.writeTwice('root.json', root)
  }

  #trustedRoot(): Promise<TrustedSet | null> {
    const { store, check } = this.#options
    return store.readTwice('root.json', (bytes) => new TrustedSet(bytes, check))
  }
}

/** A repository whose top-level metadata is believed and fresh. */
export interface RefreshedRepository {
  readonly trusted: TrustedSet
  /** Follows delegations, fetching what they name. `undefined` where nobody trusted signs this path. */
  find(path: string): Promise<TargetFound | undefined>
}

class Refresh implements RefreshedRepository {
  readonly trusted: TrustedSet
  readonly #store: DurableStore
  readonly #limits: TrustLimits
  readonly #source: MetadataSource
  readonly #deadline: Deadline

  constructor(
    { store }: RepositoryClientOptions,
    limits: TrustLimits,
    source: MetadataSource,
    trusted: TrustedSet,
  ) {
    this.trusted = trusted
    this.#store = store
    this.#limits = limits
    this.#source = source
    this.#deadline = new Deadline(limits)
  }

  async roots(): Promise<void> {
    for (let taken = 0; taken < this.#limits.rootRotations; taken += 1) {
      const before = this.trusted.root
      const file = metadataFile('root', before.version + 1)
      const bytes = await this.#fetch(file, this.#limits.rootBytes)
      if (!bytes) break
      this.trusted.takeRoot(bytes)
      // Fast-forward recovery, §5.3.11: what a key that had to go signed says nothing about the future.
      // Before the root is stored: after a cut of power in between, it is done again.
      if (['timestamp', 'snapshot'].some((role) => keyWentAway(before, this.trusted.root, role))) {
        await this.#store.remove('timestamp.json')
        await this.#store.remove('snapshot.json')
      }
      await this.#store.writeTwice('root.json', bytes)
    }
  }

  async timestamp(): Promise<void> {
    await this.#recall('timestamp.json', (bytes) => this.trusted.takeTimestamp(bytes))
    const bytes = await this.#require('timestamp.json', this.#limits.timestampBytes)
    if (this.trusted.takeTimestamp(bytes)) await this.#store.write('timestamp.json', bytes)
  }

  async snapshot(): Promise<void> {
    if (await this.#recall('snapshot.json', (bytes) => this.trusted.takeSnapshot(bytes, true)))
      return
    const meta = this.trusted.timestamp?.snapshotMeta
    const file = metadataFile('snapshot', this.#consistent(meta?.version))
    const bytes = await this.#require(
      file,
      this.#cap(file, this.#limits.snapshotBytes, meta?.length),
    )
    this.trusted.takeSnapshot(bytes)
    await this.#store.write('snapshot.json', bytes)
  }

  async targets(role: string, delegator: string): Promise<MetadataOf<'targets'>['signed']> {
    const known = this.trusted.targetsBy(role, delegator)
    if (known) return known
    const stored = metadataFile(role)
    if (
      !(await this.#recall(stored, (bytes) => this.trusted.takeTargets(bytes, role, delegator)))
    ) {
      const meta = this.trusted.snapshot?.meta[`${role}.json`]
      if (!meta) throw new TrustError('mix-and-match', `the snapshot does not know ${role}`)
      const file = metadataFile(role, this.#consistent(meta.version))
      const bytes = await this.#require(
        file,
        this.#cap(file, this.#limits.targetsBytes, meta.length),
      )
      this.trusted.takeTargets(bytes, role, delegator)
      await this.#store.write(stored, bytes)
    }
    return this.trusted.targets(role) as MetadataOf<'targets'>['signed']
  }

  find(path: string): Promise<TargetFound | undefined> {
    return findTarget(path, this.#limits.delegations, (role, from) => this.targets(role, from))
  }

  /** What the store remembers, if it still holds; a file that does not is fetched anew. */
  async #recall(file: string, take: (bytes: Buffer) => unknown): Promise<boolean> {
    const bytes = await this.#store.read(file)
    if (!bytes) return false
    try {
      take(bytes)
      return true
    } catch {
      return false
    }
  }

  async #require(file: string, maxBytes: number): Promise<Buffer> {
    const bytes = await this.#fetch(file, maxBytes)
    if (bytes) return bytes
    throw new TrustError('drop-request', `${file} is missing: the repository must have it`, {
      file,
    })
  }

  #fetch(file: string, maxBytes: number): Promise<Buffer | null> {
    return fetchBounded(this.#source, file, maxBytes, this.#deadline)
  }

  #consistent(version: number | undefined): number | undefined {
    return this.trusted.root.consistentSnapshot ? version : undefined
  }

  #cap(file: string, limit: number, announced: number | undefined): number {
    if (announced === undefined) return limit
    if (announced <= limit) return announced
    throw new TrustError(
      'endless-data',
      `${file} is announced with ${announced} bytes, over ${limit}`,
    )
  }
}

/** A key that could sign for this role before no longer can. */
export function keyWentAway(before: RootSigned, after: RootSigned, role: string): boolean {
  const now = new Set(after.roles[role]?.keyIDs)
  return (before.roles[role]?.keyIDs ?? []).some((id) => !now.has(id))
}
