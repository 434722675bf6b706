import { mkdir, readdir, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { type Digest, digestOfFile } from '../../shared/digest.ts'
import { digestSchema } from '../../shared/digest-schema.ts'
import { moveDurably } from '../../shared/durable/index.ts'
import type { ArtifactRef } from '../../shared/messages/index.ts'
import { SerialQueue } from '../../shared/serial-queue.ts'
import type { BlockFetchOptions } from './block-fetch.ts'
import type { ArtifactCopy } from './copy/index.ts'
import { type DiskQuota, sizeOf } from './disk-quota.ts'
import { download } from './download.ts'
import { ArtifactError, storageError } from './errors.ts'
import { removeFile } from './partial-file.ts'
import { leastRecentFirst, type StoredFile } from './recency.ts'
import type { Slots } from './slots.ts'

export interface ArtifactStoreOptions {
  /** `<state-dir>/artifacts` */
  readonly directory: string
  readonly quota: DiskQuota
  readonly slots: Slots
  /** Bytes of complete artifacts to keep for later; those in use may exceed it. */
  readonly cacheLimitBytes: number
  readonly wire: Omit<BlockFetchOptions, 'giveUpMs' | 'signal'>
  /** Asked before the wire; absent: this device may fetch from the broker alone. */
  readonly copy?: ArtifactCopy | undefined
}

export interface FetchOptions extends Pick<BlockFetchOptions, 'giveUpMs' | 'signal'> {
  /** Where it comes from, if not from the planner. */
  readonly source?: BlockFetchOptions['source']
  readonly progress?: (bytesDone: number) => void
}

/**
 * Files named by their digests. What is here is whole and verified: a file gets its name only after
 * its digest was checked. An installed variant counts as here, so nothing is downloaded twice.
 */
export class ArtifactStore {
  readonly #options: ArtifactStoreOptions
  readonly #lanes = new Map<Digest, SerialQueue>()
  readonly #held = new Map<Digest, number>()

  constructor(options: ArtifactStoreOptions) {
    this.#options = options
  }

  async open(): Promise<void> {
    try {
      await mkdir(this.#partials, { recursive: true })
    } catch (error) {
      throw storageError(error, `cannot make ${this.#partials}`)
    }
  }

  /**
   * The artifact's file, fetched unless it is here. Its digest has just been checked.
   * @throws ArtifactError `storage-full`, `disk-full`, `wrong-digest`, `download-stalled`, `aborted`
   */
  async fetch(artifact: ArtifactRef, options: FetchOptions): Promise<string> {
    return this.#inLane(artifact.digest, async () => {
      const found = await this.locate(artifact.digest)
      if (found) return found
      await this.makeRoom(await this.#missingBytes(artifact), artifact.digest)
      const pending = this.#options.quota.reserve(async () => this.#missingBytes(artifact))
      try {
        await download(artifact, {
          ...this.#options.wire,
          ...options,
          ...(options.source === undefined && { copy: this.#options.copy }),
          partial: join(this.#partials, artifact.digest),
          older: () => this.#options.slots.files(),
        })
        const path = this.#path(artifact.digest)
        await moveDurably(join(this.#partials, artifact.digest), path)
        await this.#forgetPartial(artifact.digest)
        await this.#trim()
        return path
      } catch (error) {
        if (mustLetGo(error)) await this.#forgetPartial(artifact.digest)
        throw error
      } finally {
        pending()
      }
    })
  }

  /** A whole, verified file with these bytes; one that was spoiled on disk is removed. */
  async locate(digest: Digest): Promise<string | undefined> {
    const cached = this.#path(digest)
    if ((await sizeOf(cached)) > 0) {
      if ((await digestOfFile(cached)) === digest) {
        const now = new Date()
        await utimes(cached, now, now).catch(() => {})
        return cached
      }
      await removeFile(cached)
    }
    const installed = await this.#options.slots.locate(digest)
    const good = installed !== undefined && (await digestOfFile(installed)) === digest
    return good ? installed : undefined
  }

  /** While held, an artifact is not given up for room. Answers how to let go. */
  hold(digest: Digest): () => void {
    this.#held.set(digest, (this.#held.get(digest) ?? 0) + 1)
    return () => {
      const left = (this.#held.get(digest) ?? 1) - 1
      if (left > 0) this.#held.set(digest, left)
      else this.#held.delete(digest)
    }
  }

  /** Drops the file under its digest, unless somebody holds it: an installed variant is kept by its slot. */
  async forget(digest: Digest): Promise<void> {
    if (!this.#held.has(digest)) await removeFile(this.#path(digest))
  }

  /** What stands against fetching it, were everything given up that may be; `undefined`: nothing. */
  async refusal(artifact: ArtifactRef): Promise<ArtifactError | undefined> {
    if (await this.locate(artifact.digest)) return undefined
    const needed = await this.#missingBytes(artifact)
    const { quota } = this.#options
    const free = (await quota.freeBytes()) + (await this.reclaimableBytes(artifact.digest))
    return free < needed ? quota.full(needed, free) : undefined
  }

  /** Bytes on disk that are given up as soon as something else needs the room. */
  async reclaimableBytes(except?: Digest): Promise<number> {
    const files = (await this.#evictable()).filter(({ digest }) => digest !== except)
    const cached = files.reduce((sum, { bytes }) => sum + bytes, 0)
    return cached + (await this.#options.slots.previousBytes())
  }

  /** Forgets half-done downloads that nobody will continue. */
  async collectPartials(wanted: ReadonlySet<Digest>): Promise<void> {
    for (const name of await readdir(this.#partials).catch(() => [])) {
      if (!wanted.has(name.slice(0, 64))) await removeFile(join(this.#partials, name))
    }
  }

  /**
   * Gives up what may be given up until so many bytes are free.
   * @param except what they are needed for
   * @throws ArtifactError `storage-full`
   */
  async makeRoom(needed: number, except: Digest): Promise<void> {
    const { quota, slots } = this.#options
    let free = await quota.freeBytes()
    for (const { path, digest } of await this.#evictable()) {
      if (free >= needed) return
      if (digest === except) continue
      await removeFile(path)
      free = await quota.freeBytes()
    }
    if (free < needed) {
      await slots.dropPrevious()
      free = await quota.freeBytes()
    }
    if (free < needed) throw quota.full(needed, free)
  }

  async #trim(): Promise<void> {
    const complete = await leastRecentFirst(this.#options.directory)
    let sum = complete.reduce((bytes, file) => bytes + file.bytes, 0)
    for (const { path, bytes, digest } of complete) {
      if (sum <= this.#options.cacheLimitBytes) return
      if (!this.#isIdle(digest)) continue
      await removeFile(path)
      sum -= bytes
    }
  }

  /** Files that may be given up for room: half-done ones first, then the least recently used. */
  async #evictable(): Promise<StoredFile[]> {
    const partials = await leastRecentFirst(this.#partials)
    const complete = await leastRecentFirst(this.#options.directory)
    return [...partials, ...complete].filter(({ digest }) => this.#isIdle(digest))
  }

  /** Nobody holds it and no download writes it. */
  #isIdle(digest: Digest): boolean {
    return (
      digestSchema.safeParse(digest).success && !this.#held.has(digest) && !this.#lanes.has(digest)
    )
  }

  async #missingBytes(artifact: ArtifactRef): Promise<number> {
    const present = await sizeOf(join(this.#partials, artifact.digest))
    return Math.max(0, artifact.bytes - present)
  }

  async #forgetPartial(digest: Digest): Promise<void> {
    await removeFile(join(this.#partials, digest))
    await removeFile(join(this.#partials, `${digest}.list`))
  }

  /** One at a time per artifact: the second asker finds what the first has fetched. */
  async #inLane<T>(digest: Digest, work: () => Promise<T>): Promise<T> {
    const lane = this.#lanes.get(digest) ?? new SerialQueue()
    this.#lanes.set(digest, lane)
    try {
      return await lane.run(work)
    } finally {
      if (lane.size === 0) this.#lanes.delete(digest)
    }
  }

  get #partials(): string {
    return join(this.#options.directory, 'partial')
  }

  #path(digest: Digest): string {
    return join(this.#options.directory, digest)
  }
}

/** After these, what is on disk is of no use, or is in the way. */
function mustLetGo(error: unknown): boolean {
  return (
    error instanceof ArtifactError && (error.code === 'wrong-digest' || error.code === 'disk-full')
  )
}
