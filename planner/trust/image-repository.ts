import { isOneOf } from '../../shared/open-words.ts'
import { RUNTIME_NAMES } from '../../shared/runtime/index.ts'
import type { SigningKey } from '../../shared/signatures/index.ts'
import {
  imageCustomSchema,
  imagePackageSchema,
  isOfPackage,
  type MetadataOf,
  metadataFile,
  modelRole,
  parseMetadata,
  printMetadata,
  type SignedKinds,
  signerOf,
  tufKeyId,
} from '../../shared/trust/index.ts'
import {
  delegatingDocument,
  isReleasedPackage,
  type MetaEntries,
  modelDocument,
  type Released,
  type ReleasedPackage,
  type ReleasedVariant,
  type SignedDocument,
  snapshotDocument,
  timestampDocument,
} from './documents.ts'
import type { DurableFolder } from './durable-folder.ts'
import { KeysError } from './errors.ts'
import { expiryAfter, hasLivedADay, isAgeing, LIFETIMES, type Lifetimes } from './lifetimes.ts'
import { policyFor } from './policy.ts'
import { latestRoot, requireBytes } from './roots.ts'

const MODEL_PREFIX = modelRole('')

/** By model: all that shall be released of it. */
export type Releases = Readonly<Record<string, readonly Released[]>>

/** A document and who must sign it, before it is a request. */
export interface Draft {
  readonly role: string
  readonly document: SignedDocument
}

/** What was released. Files of one folder; `timestamp.json` is written last and makes the rest true. */
export class ImageRepository {
  readonly #folder: DurableFolder
  readonly #lifetimes: Lifetimes
  /** What was read last, while the folder is as it was: the planner asks all the time, and others write here too. */
  #known: Promise<Current> | undefined
  #seen: { readonly timestamp: Buffer | null; readonly files: number } | undefined
  readonly #released = new WeakMap<Buffer, readonly Released[]>()

  constructor(folder: DurableFolder, lifetimes: Lifetimes = LIFETIMES) {
    this.#folder = folder
    this.#lifetimes = lifetimes
  }

  async models(): Promise<string[]> {
    const { roles } = await this.#current()
    return Object.keys(roles)
      .filter((role) => role.startsWith(MODEL_PREFIX))
      .map((role) => role.slice(MODEL_PREFIX.length))
  }

  /** Everything released of a model and not withdrawn. */
  async variants(model: string): Promise<ReleasedVariant[]> {
    const released = await this.released(model)
    return released.flatMap((entry) => (isReleasedPackage(entry) ? [] : [entry]))
  }

  /** The same of a runtime, by the name of its packages. */
  async packages(name: string): Promise<ReleasedPackage[]> {
    return (await this.released(name)).filter(isReleasedPackage)
  }

  async released(name: string): Promise<Released[]> {
    const current = (await this.#current()).roles[modelRole(name)]
    if (!current) return []
    const known = this.#released.get(current.bytes)
    const released = known ?? releasedIn(parseMetadata('targets', current.bytes).signed)
    this.#released.set(current.bytes, released)
    return [...released]
  }

  /** Drafts that make these variants all that is released of their models. */
  async draftModels(releases: Releases, now: Date): Promise<Draft[]> {
    const { roles, root } = await this.#current()
    const known = await this.models()
    const models = Object.keys(releases)
    const drafts = models.map((model) => this.#draftModel(model, releases[model] ?? [], roles, now))
    const added = models.filter((model) => !known.includes(model))
    if (added.length === 0) return drafts
    return [this.#draftTop([...known, ...added], roles, root.signed, now), ...drafts]
  }

  /** Drafts of everything the release keys sign, for the keys of this root. */
  async draftAll(root: SignedKinds['root'], now: Date): Promise<Draft[]> {
    const { roles } = await this.#current()
    const models = await this.models()
    const drafts = [this.#draftTop(models, roles, root, now)]
    for (const model of models)
      drafts.push(this.#draftModel(model, await this.released(model), roles, now))
    return drafts
  }

  /**
   * Publishes role files that are completely signed, and then a snapshot and a timestamp that name
   * them. After a cut of power in between, what was true before is still true.
   */
  async publish(
    files: readonly { role: string; file: string; bytes: Buffer; version: number }[],
    online: readonly SigningKey[],
    now: Date,
  ): Promise<void> {
    const { roles, snapshotVersion, timestampVersion, root } = await this.#current()
    for (const { file, bytes } of files) await this.#folder.write(file, bytes)
    const meta: Record<string, { version: number; bytes: Buffer }> = {}
    for (const [role, entry] of Object.entries(roles)) meta[`${role}.json`] = entry
    for (const { role, ...entry } of files) meta[`${role}.json`] = entry
    await this.#seal(meta, snapshotVersion + 1, timestampVersion + 1, { online, root, now })
  }

  /** 0 for a role that nothing was published of. */
  async versionOf(role: string): Promise<number> {
    return (await this.#current()).roles[role]?.version ?? 0
  }

  /** Its version is taken by other bytes: something was published since it was drafted. */
  async isTaken(role: string, version: number, bytes: Buffer): Promise<boolean> {
    const there = (await this.#current()).roles[role]
    return there !== undefined && there.version >= version && !there.bytes.equals(bytes)
  }

  /**
   * Signs snapshot and timestamp again where they age or their keys changed; called at start and daily.
   * @param isYoung a timestamp that has lived for a day is old enough
   */
  async refresh(online: readonly SigningKey[], now: Date, isYoung = false): Promise<boolean> {
    const { roles, snapshot, snapshotVersion, timestamp, timestampVersion, root } =
      await this.#current()
    const { snapshot: snapshotDays, timestamp: timestampDays } = this.#lifetimes
    const fresh =
      timestamp !== null &&
      snapshot !== null &&
      !isAgeing(timestamp.signed.expires, timestampDays, now) &&
      !(isYoung && hasLivedADay(timestamp.signed.expires, timestampDays, now)) &&
      !isAgeing(snapshot.signed.expires, snapshotDays, now) &&
      vouchesFor(root, timestamp, snapshot)
    if (fresh) return false
    const meta: MetaEntries = Object.fromEntries(
      Object.entries(roles).map(([role, entry]) => [`${role}.json`, entry]),
    )
    await this.#seal(meta, snapshotVersion + 1, timestampVersion + 1, { online, root, now })
    return true
  }

  /** The files a device needs to judge these models, beside newer roots. */
  async filesFor(models: readonly string[]): Promise<Record<string, string>> {
    const { roles, snapshotVersion } = await this.#current()
    const wanted = [
      'timestamp.json',
      metadataFile('snapshot', snapshotVersion),
      ...['targets', ...models.map(modelRole)].flatMap((role) =>
        roles[role] ? [metadataFile(role, roles[role].version)] : [],
      ),
    ]
    const files: Record<string, string> = {}
    for (const file of wanted) files[file] = (await requireBytes(this.#folder, file)).toString()
    return files
  }

  #draftModel(model: string, released: readonly Released[], roles: Roles, now: Date): Draft {
    const role = modelRole(model)
    const version = (roles[role]?.version ?? 0) + 1
    const expires = expiryAfter(now, this.#lifetimes.targets)
    return { role, document: modelDocument(version, expires, released) }
  }

  #draftTop(models: readonly string[], roles: Roles, root: SignedKinds['root'], now: Date): Draft {
    const version = (roles.targets?.version ?? 0) + 1
    const expires = expiryAfter(now, this.#lifetimes.targets)
    return {
      role: 'targets',
      document: delegatingDocument(version, expires, models, policyFor(root, 'targets')),
    }
  }

  async #seal(
    meta: MetaEntries,
    snapshotVersion: number,
    timestampVersion: number,
    by: { online: readonly SigningKey[]; root: MetadataOf<'root'>; now: Date },
  ): Promise<void> {
    const { online, root, now } = by
    const snapshotExpires = expiryAfter(now, this.#lifetimes.snapshot)
    const snapshot = signedOnline(
      'snapshot',
      snapshotDocument(snapshotVersion, snapshotExpires, meta),
      online,
      root,
    )
    await this.#folder.write(metadataFile('snapshot', snapshotVersion), snapshot)
    const named = { 'snapshot.json': { version: snapshotVersion, bytes: snapshot } }
    const timestampExpires = expiryAfter(now, this.#lifetimes.timestamp)
    const document = timestampDocument(timestampVersion, timestampExpires, named)
    await this.#folder.write('timestamp.json', signedOnline('timestamp', document, online, root))
    this.forget()
  }

  /** Something is written here: it must be read again. */
  forget(): void {
    this.#known = undefined
  }

  async #current(): Promise<Current> {
    // Equal files are the same bytes (`DurableFolder`); a new root is a file more.
    const timestamp = await this.#folder.read('timestamp.json')
    const files = (await this.#folder.list()).length
    if (this.#seen?.timestamp !== timestamp || this.#seen.files !== files) this.forget()
    this.#seen = { timestamp, files }
    this.#known ??= this.#read().catch((error) => {
      this.forget()
      throw error
    })
    return await this.#known
  }

  async #read(): Promise<Current> {
    const root = await latestRoot(this.#folder)
    const stamp = await this.#folder.read('timestamp.json')
    if (!stamp) {
      return {
        root,
        roles: {},
        snapshot: null,
        snapshotVersion: 0,
        timestamp: null,
        timestampVersion: 0,
      }
    }
    const timestamp = parseMetadata('timestamp', stamp)
    const snapshotVersion = timestamp.signed.snapshotMeta.version
    const file = metadataFile('snapshot', snapshotVersion)
    const snapshot = parseMetadata('snapshot', await requireBytes(this.#folder, file))
    const roles: Record<string, { version: number; bytes: Buffer }> = {}
    for (const [name, meta] of Object.entries(snapshot.signed.meta)) {
      const role = name.slice(0, -'.json'.length)
      const bytes = await requireBytes(this.#folder, metadataFile(role, meta.version))
      meta.verify(bytes)
      roles[role] = { version: meta.version, bytes }
    }
    const timestampVersion = timestamp.signed.version
    return { root, roles, snapshot, snapshotVersion, timestamp, timestampVersion }
  }
}

/** What a targets role describes, as far as this planner can vouch for it: not for runtimes it does not know. */
export function releasedIn({ targets }: SignedKinds['targets']): Released[] {
  return Object.values(targets).flatMap(({ length, hashes, unrecognizedFields }): Released[] => {
    const named = { digest: hashes.sha256 ?? '', bytes: length }
    if (isOfPackage(unrecognizedFields.custom)) {
      return [{ ...imagePackageSchema.parse(unrecognizedFields.custom), ...named }]
    }
    const { runtime, ...custom } = imageCustomSchema.parse(unrecognizedFields.custom)
    if (!isOneOf(RUNTIME_NAMES, runtime)) return []
    return [{ ...custom, runtime, ...named }]
  })
}

type Roles = Readonly<Record<string, { version: number; bytes: Buffer }>>
interface Current {
  readonly root: MetadataOf<'root'>
  readonly roles: Roles
  readonly snapshot: MetadataOf<'snapshot'> | null
  readonly snapshotVersion: number
  readonly timestamp: MetadataOf<'timestamp'> | null
  readonly timestampVersion: number
}

/** Signed with the online keys here, and believed by this root: else nothing may be published. */
export function signedOnline(
  role: 'timestamp' | 'snapshot' | 'targets',
  document: SignedDocument,
  keys: readonly SigningKey[],
  root: MetadataOf<'root'>,
): Buffer {
  const metadata = parseMetadata(
    role,
    Buffer.from(JSON.stringify({ signed: document, signatures: [] })),
  )
  // Their signatures are ours: whose they are says as much as holding each against its key, for every device anew.
  const { keyIDs = [], threshold = Number.POSITIVE_INFINITY } = root.signed.roles[role] ?? {}
  const believed = new Set(
    keys.map((key) => tufKeyId(key.trusted)).filter((id) => keyIDs.includes(id)),
  )
  if (believed.size < threshold) {
    throw new KeysError('threshold-not-met', `the online keys here cannot sign ${role}`)
  }
  for (const key of keys) metadata.sign(signerOf(key))
  return printMetadata(metadata)
}

function vouchesFor(
  root: MetadataOf<'root'>,
  timestamp: MetadataOf<'timestamp'>,
  snapshot: MetadataOf<'snapshot'>,
): boolean {
  try {
    root.verifyDelegate('timestamp', timestamp)
    root.verifyDelegate('snapshot', snapshot)
    return true
  } catch {
    return false
  }
}
