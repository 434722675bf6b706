import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Digest } from '../../../../shared/digest.ts'
import { makeFolder, settle } from '../../../../shared/durable/index.ts'
import { INCOMING } from '../drafts.ts'
import { type Held, pathIn } from '../place.ts'

interface Entry {
  readonly bytes: number
  users: number
}

const DIGEST = /^[0-9a-f]{64}$/

/** Copies of one process's own, of bounded size: what was used longest ago goes first, and what is held stays. */
export class CacheFolder {
  readonly root: string
  readonly #most: number
  readonly #entries = new Map<Digest, Entry>()
  #bytes = 0

  private constructor(root: string, most: number) {
    this.root = root
    this.#most = most
  }

  /** With what an earlier process left, but for what it had not finished. */
  static async open(root: string, most: number): Promise<CacheFolder> {
    const cache = new CacheFolder(root, most)
    await mkdir(root, { recursive: true })
    await rm(join(root, INCOMING), { recursive: true, force: true })
    const names = (await readdir(root, { recursive: true, withFileTypes: true })).filter(
      (entry) => entry.isFile() && DIGEST.test(entry.name),
    )
    const found = await Promise.all(
      names.map(async ({ name, parentPath }) => {
        const { size, mtimeMs } = await stat(join(parentPath, name))
        return { name, size, mtimeMs }
      }),
    )
    for (const { name, size } of found.sort((a, b) => a.mtimeMs - b.mtimeMs)) cache.#add(name, size)
    await cache.#trim()
    return cache
  }

  hold(digest: Digest): Held | undefined {
    const entry = this.#entries.get(digest)
    if (entry === undefined) return undefined
    this.#entries.delete(digest)
    this.#entries.set(digest, entry)
    entry.users += 1
    let isHeld = true
    return {
      path: pathIn(this.root, digest),
      release: () => {
        if (!isHeld) return
        isHeld = false
        entry.users -= 1
        void this.#trim().catch(() => {})
      },
    }
  }

  /** Takes a draft that is whole. It stays at least until whoever waited for it could hold it. */
  async take(draft: string, digest: Digest): Promise<void> {
    const path = pathIn(this.root, digest)
    const { size } = await stat(draft)
    await makeFolder(dirname(path))
    await settle(draft, path)
    if (!this.#entries.has(digest)) this.#add(digest, size)
    const held = this.hold(digest)
    await this.#trim().finally(() => setImmediate(() => held?.release()))
  }

  /** Whoever reads it reads on. */
  async drop(digest: Digest): Promise<void> {
    const entry = this.#entries.get(digest)
    if (entry === undefined) return
    this.#entries.delete(digest)
    this.#bytes -= entry.bytes
    await rm(pathIn(this.root, digest), { force: true })
  }

  #add(digest: Digest, bytes: number): void {
    this.#entries.set(digest, { bytes, users: 0 })
    this.#bytes += bytes
  }

  async #trim(): Promise<void> {
    for (const [digest, { users }] of this.#entries) {
      if (this.#bytes <= this.#most) return
      if (users === 0) await this.drop(digest)
    }
  }
}
