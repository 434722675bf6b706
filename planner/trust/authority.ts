import { join } from 'node:path'
import type { ProbeOrder, VouchedProbe } from '../../shared/messages/index.ts'
import { SerialQueue } from '../../shared/serial-queue.ts'
import type { TrustedKey } from '../../shared/signatures/index.ts'
import {
  type MetadataOf,
  metadataFile,
  type Offer,
  parseMetadata,
  REPOSITORIES,
  type RepositoryName,
  type Shipment,
  TOP_ROLES,
  type TopRole,
  type TrustAnchor,
} from '../../shared/trust/index.ts'
import { type Direction, directorFiles } from './director.ts'
import {
  delegatingDocument,
  type RootPolicy,
  rootDocument,
  type SignedDocument,
} from './documents.ts'
import { DurableFolder } from './durable-folder.ts'
import { KeysError } from './errors.ts'
import { ImageRepository, type Releases } from './image-repository.ts'
import { type AskPassphrase, KeyRing } from './key-ring.ts'
import { KEY_ROLE_OF, type KeyRole } from './key-roles.ts'
import { expiryAfter, LIFETIMES, type Lifetimes } from './lifetimes.ts'
import {
  type Batch,
  type BatchSignatures,
  batchKeyIds,
  newBatch,
  PendingBatches,
  signBatch,
  withBatchSignatures,
} from './pending.ts'
import { changed, type PolicyChange, policyOf, requirementOf } from './policy.ts'
import { latestRoot, latestRootVersion, requireBytes, rootsAfter } from './roots.ts'
import type { ScryptCost } from './sealed-key.ts'
import { signProbe } from './signed-probe.ts'
import { type Shipping, signShipment } from './signed-shipment.ts'
import { completed, requestFor, type SigningRequest } from './signing-request.ts'

export interface AuthorityOptions {
  readonly dir: string
  readonly now: () => Date
  readonly lifetimes?: Lifetimes
  readonly scrypt?: ScryptCost
}

/** Names of keys in the ring, and how many of them must sign. */
export interface NamedPolicy {
  readonly keys: readonly string[]
  readonly threshold: number
}

export type KeyPlan = Readonly<Record<KeyRole, NamedPolicy>>

export const SIMPLEST_PLAN: KeyPlan = {
  root: { keys: ['root'], threshold: 1 },
  release: { keys: ['release'], threshold: 1 },
  director: { keys: ['director'], threshold: 1 },
  publisher: { keys: ['publisher'], threshold: 1 },
}

type OfferedDirection = Omit<Direction, 'issuedAt' | 'days'>
type RootVersions = Readonly<Record<RepositoryName, number>>
type Done = SigningRequest & ReturnType<typeof completed>

/** The planner's side of trust: keys, both repositories, and what waits for signatures. One process at a time. */
export class TrustAuthority {
  readonly keys: KeyRing
  readonly image: ImageRepository
  readonly #options: AuthorityOptions
  readonly #folders: Readonly<Record<RepositoryName, DurableFolder>>
  readonly #pending: PendingBatches
  readonly #queue = new SerialQueue()

  constructor(options: AuthorityOptions) {
    const { dir, lifetimes, scrypt } = options
    this.#options = options
    this.keys = new KeyRing(join(dir, 'keys'), scrypt)
    this.#folders = {
      director: new DurableFolder(join(dir, 'director')),
      image: new DurableFolder(join(dir, 'image')),
    }
    this.image = new ImageRepository(this.#folders.image, lifetimes)
    this.#pending = new PendingBatches(join(dir, 'pending'))
  }

  async isInitialised(): Promise<boolean> {
    const versions = REPOSITORIES.map((name) => latestRootVersion(this.#folders[name]))
    return (await Promise.all(versions)).every((version) => version > 0)
  }

  /**
   * The first root of both repositories, and empty targets, as one batch. Keys the ring lacks are
   * made; `passphrase` seals them. @throws KeysError `already-initialised`, `impossible-policy`
   */
  async init(
    plan: KeyPlan = SIMPLEST_PLAN,
    passphrase?: (name: string) => string | undefined,
  ): Promise<Batch> {
    if (await this.isInitialised()) {
      throw new KeysError(
        'already-initialised',
        'there is trust here already: use keys rotate to change it',
      )
    }
    const known = new Set((await this.keys.list()).map(({ name }) => name))
    for (const name of new Set(Object.values(plan).flatMap(({ keys }) => keys))) {
      if (!known.has(name)) await this.keys.generate(name, passphrase?.(name))
    }
    const requests: SigningRequest[] = []
    for (const repository of REPOSITORIES) {
      const policy = await this.#policy(repository, plan)
      requests.push(this.#rootRequest(repository, 1, policy, []))
      if (repository === 'director') continue
      const empty = delegatingDocument(1, this.#expiry('targets'), [], policy.targets)
      requests.push(this.#imageRequest(empty, 'targets', policy))
    }
    return await this.#enter(newBatch('first root of both repositories', requests))
  }

  /**
   * A new root with other keys or thresholds, signed by the old root's keys and the new one's; where
   * the release keys change, everything released is signed anew in the same batch.
   */
  async rotate(
    repository: RepositoryName,
    changes: Readonly<Partial<Record<TopRole, PolicyChange>>>,
  ): Promise<Batch> {
    const before = (await latestRoot(this.#folders[repository])).signed
    const policy = policyOf(before)
    const next = Object.fromEntries(
      TOP_ROLES.map((role) => [role, changed(policy[role], changes[role])]),
    ) as unknown as RootPolicy
    const root = this.#rootRequest(repository, before.version + 1, next, [
      requirementOf(`root ${before.version}`, policy.root),
    ])
    const requests = [root]
    if (repository === 'image' && changes.targets) {
      const signed = parseMetadata('root', Buffer.from(root.metadata)).signed
      for (const { role, document } of await this.image.draftAll(signed, this.#options.now())) {
        requests.push(this.#imageRequest(document, role, next))
      }
    }
    return await this.#enter(
      newBatch(`root ${before.version + 1} of the ${repository} repository`, requests),
    )
  }

  /** Makes these variants all that is released of their models, once the release keys have signed. */
  async release(releases: Releases): Promise<Batch> {
    const policy = policyOf((await latestRoot(this.#folders.image)).signed)
    const drafts = await this.image.draftModels(releases, this.#options.now())
    const requests = drafts.map(({ role, document }) => this.#imageRequest(document, role, policy))
    const what = Object.entries(releases).map(
      ([model, list]) => `${model} (${list.length} variants)`,
    )
    return await this.#enter(newBatch(`release of ${what.join(', ')}`.slice(0, 200), requests))
  }

  /** What waits for signatures. */
  pending(): Promise<Batch[]> {
    return this.#pending.list()
  }

  /** Signs what waits with the keys that lie here. @throws KeysError `cannot-unseal` */
  async sign(batch: Batch, ask?: AskPassphrase): Promise<Batch> {
    const keys = await this.keys.openThose(batchKeyIds(batch), ask)
    return await this.add(batch, signBatch(batch, keys))
  }

  /** Signatures that came from elsewhere. @throws KeysError `bad-signature`, `malformed-request` */
  async add(batch: Batch, came: BatchSignatures): Promise<Batch> {
    return await this.#enter(withBatchSignatures(batch, came))
  }

  /** Something else was published since it was drafted: signing it is of no use any more. */
  async isStale(batch: Batch): Promise<boolean> {
    for (const { repository, role, kind, metadata } of batch.requests) {
      const { version } = parseMetadata(kind, Buffer.from(metadata)).signed
      const latest =
        kind === 'root'
          ? await latestRootVersion(this.#folders[repository])
          : await this.image.versionOf(role)
      if (version <= latest) return true
    }
    return false
  }

  /** Who may sign what now, by repository and role. */
  async policies(): Promise<Readonly<Record<RepositoryName, RootPolicy>>> {
    const [director, image] = [
      policyOf((await latestRoot(this.#folders.director)).signed),
      policyOf((await latestRoot(this.#folders.image)).signed),
    ]
    return { director, image }
  }

  async drop(batch: Batch): Promise<void> {
    await this.#pending.remove(batch)
  }

  /**
   * Makes a completely signed batch true. Repeating it after a cut of power is harmless.
   * @throws KeysError `threshold-not-met`; then nothing was published
   */
  publish(batch: Batch): Promise<void> {
    return this.#queue.run(() => this.#publish(batch))
  }

  async #publish(batch: Batch): Promise<void> {
    const done = batch.requests.map((request) => ({ ...request, ...completed(request) }))
    await this.#refuseStale(done)
    for (const { repository, kind, file, bytes } of done) {
      if (kind === 'root') await this.#folders[repository].write(file, bytes)
    }
    this.image.forget()
    const released = done.filter(
      ({ repository, kind }) => repository === 'image' && kind !== 'root',
    )
    if (released.length > 0)
      await this.image.publish(released, await this.#onlineKeys('image'), this.#options.now())
    else if (await this.isInitialised()) await this.#refresh()
    await this.#pending.remove(batch)
  }

  /** Signs ageing timestamps again. Called at start and daily. */
  refresh(): Promise<boolean> {
    return this.#queue.run(() => this.#refresh())
  }

  async #refresh(): Promise<boolean> {
    return await this.image.refresh(await this.#onlineKeys('image'), this.#options.now())
  }

  /** All that a device needs to judge this direction. `since`: the roots it has by its own word. */
  offer(direction: OfferedDirection, since: RootVersions): Promise<Offer> {
    return this.#queue.run(() => this.#offer(direction, since))
  }

  async #offer(direction: OfferedDirection, since: RootVersions): Promise<Offer> {
    const root: MetadataOf<'root'> = await latestRoot(this.#folders.director)
    const { director: days } = this.#options.lifetimes ?? LIFETIMES
    const keys = await this.#onlineKeys('director')
    const models = [...new Set(direction.variants.map(({ model }) => model))]
    return {
      director: {
        ...(await rootsAfter(this.#folders.director, since.director)),
        ...directorFiles({ ...direction, issuedAt: this.#options.now(), days }, keys, root),
      },
      image: {
        ...(await rootsAfter(this.#folders.image, since.image)),
        ...(await this.image.filesFor(models)),
      },
    }
  }

  /** A probe order that the director's keys vouch for, with the roots that say so. */
  vouch(device: string, order: ProbeOrder, since: RootVersions): Promise<VouchedProbe> {
    return this.#queue.run(async () => {
      const { director: days } = this.#options.lifetimes ?? LIFETIMES
      const keys = await this.#onlineKeys('director')
      const { v, id, kind, model, variant } = order
      const roots = {
        director: await rootsAfter(this.#folders.director, since.director),
        // The two first roots are believed together; who has them needs no more of this one here.
        image: since.image > 0 ? {} : await rootsAfter(this.#folders.image, 0),
      }
      const vouched = signProbe(device, order, keys, { issuedAt: this.#options.now(), days })
      return { v, id, kind, model, variant, roots, vouched }
    })
  }

  /**
   * What another updater brings to devices of a class, in one file that each of them can judge by itself. It holds as
   * long as the timestamp in it, which is made anew where it has spent a day of that.
   */
  ship(shipping: Shipping): Promise<Shipment> {
    return this.#queue.run(async () => {
      const { timestamp: days } = this.#options.lifetimes ?? LIFETIMES
      const keys = await this.#onlineKeys('director')
      const models = [...new Set(shipping.variants.map(({ model }) => model))]
      await this.image.refresh(await this.#onlineKeys('image'), this.#options.now(), true)
      return {
        v: 1,
        roots: {
          director: await rootsAfter(this.#folders.director, 0),
          image: await rootsAfter(this.#folders.image, 0),
        },
        image: await this.image.filesFor(models),
        vouched: signShipment(shipping, keys, { issuedAt: this.#options.now(), days }),
      }
    })
  }

  /** For devices at setup: the first roots, from which they follow the chain. */
  async anchor(): Promise<TrustAnchor> {
    const first = async (name: RepositoryName) =>
      (await requireBytes(this.#folders[name], metadataFile('root', 1))).toString()
    return { v: 1, director: await first('director'), image: await first('image') }
  }

  async #enter(batch: Batch): Promise<Batch> {
    await this.#pending.put(batch)
    return batch
  }

  /** Something else was published since it was drafted: its versions are taken. */
  async #refuseStale(done: readonly Done[]): Promise<void> {
    for (const { repository, role, kind, file, bytes, version } of done) {
      const there = kind === 'root' ? await this.#folders[repository].read(file) : null
      const taken =
        kind === 'root'
          ? there !== null && !there.equals(bytes)
          : (await this.isInitialised()) && (await this.image.isTaken(role, version, bytes))
      if (!taken) continue
      throw new KeysError(
        'stale-batch',
        `version ${version} of ${role} was published meanwhile: drop this batch and draft it anew`,
      )
    }
  }

  #rootRequest(
    repository: RepositoryName,
    version: number,
    policy: RootPolicy,
    also: SigningRequest['requirements'],
  ): SigningRequest {
    const document = rootDocument(version, this.#expiry('root'), policy)
    const requirements = [...also, requirementOf(`root ${version}`, policy.root)]
    return requestFor({ repository, role: 'root', document, requirements })
  }

  #imageRequest(document: SignedDocument, role: string, policy: RootPolicy): SigningRequest {
    const requirements = [requirementOf('the release keys', policy.targets)]
    return requestFor({ repository: 'image', role, document, requirements })
  }

  async #policy(repository: RepositoryName, plan: KeyPlan): Promise<RootPolicy> {
    const entries = TOP_ROLES.map(async (role) => {
      const { keys, threshold } = plan[KEY_ROLE_OF[repository][role]]
      const trusted: TrustedKey[] = await Promise.all(keys.map((name) => this.keys.publicKey(name)))
      return [role, { keys: trusted, threshold }] as const
    })
    return Object.fromEntries(await Promise.all(entries)) as unknown as RootPolicy
  }

  /** Keys that sign by machine lie here unsealed. */
  async #onlineKeys(repository: RepositoryName) {
    const root = (await latestRoot(this.#folders[repository])).signed
    return await this.keys.openThose([
      ...(root.roles.timestamp?.keyIDs ?? []),
      ...(root.roles.snapshot?.keyIDs ?? []),
    ])
  }

  #expiry(role: 'root' | 'targets'): string {
    return expiryAfter(this.#options.now(), (this.#options.lifetimes ?? LIFETIMES)[role])
  }
}
