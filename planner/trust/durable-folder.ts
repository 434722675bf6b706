import { statSync } from 'node:fs'
import { link, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import {
  makeFolder,
  readIfPresent,
  removeDurably,
  syncFolder,
  writeDraft,
  writeDurably,
} from '../../shared/durable/index.ts'
import { errnoOf, isMissing } from '../../shared/errors.ts'
import { newId } from '../../shared/ids.ts'
import { Lru } from '../../shared/lru.ts'

/** Files whose bytes are kept: what signs for every device is read for every device. */
const KEPT = 64

/** Files of one folder that are whole or absent, whenever the power goes, and whoever else writes here. */
export class DurableFolder {
  readonly dir: string
  readonly #kept = new Lru<string, { readonly stamp: string; readonly bytes: Buffer }>(KEPT)
  #listed: { readonly stamp: string; readonly names: readonly string[] } | undefined

  constructor(dir: string) {
    this.dir = dir
  }

  /** Not to be changed: equal files give the same bytes, and whoever wrote the file meanwhile is seen by its stamp. */
  async read(name: string): Promise<Buffer | null> {
    const path = join(this.dir, name)
    const stamp = stampOf(path)
    const known = stamp === undefined ? undefined : this.#kept.get(name)
    if (known?.stamp === stamp && known) return known.bytes
    const bytes = (await readIfPresent(path)) ?? null
    if (bytes && stamp !== undefined && stampOf(path) === stamp)
      this.#kept.set(name, { stamp, bytes })
    return bytes
  }

  async list(): Promise<string[]> {
    const stamp = stampOf(this.dir)
    if (stamp !== undefined && this.#listed?.stamp === stamp) return [...this.#listed.names]
    try {
      const names = (await readdir(this.dir)).filter((name) => !name.startsWith('.')).sort()
      this.#listed =
        stamp === undefined || stampOf(this.dir) !== stamp ? undefined : { stamp, names }
      return [...names]
    } catch (error) {
      if (isMissing(error)) return []
      throw error
    }
  }

  async write(name: string, bytes: Uint8Array | string, mode = 0o644): Promise<void> {
    await makeFolder(this.dir, 0o700)
    await writeDurably(join(this.dir, name), bytes, { mode, draft: this.#newDraft() })
    this.#forget()
  }

  /** False where the name is taken: of two writers, one wins. */
  async create(name: string, bytes: Uint8Array | string, mode = 0o644): Promise<boolean> {
    await makeFolder(this.dir, 0o700)
    const draft = this.#newDraft()
    await writeDraft(draft, bytes, mode)
    try {
      await link(draft, join(this.dir, name))
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return false
      throw error
    } finally {
      await unlink(draft)
    }
    await syncFolder(this.dir)
    this.#forget()
    return true
  }

  async remove(name: string): Promise<void> {
    await removeDurably(join(this.dir, name))
    this.#forget()
  }

  #forget(): void {
    this.#kept.clear()
    this.#listed = undefined
  }

  #newDraft(): string {
    return join(this.dir, `.${newId()}.draft`)
  }
}

/** Changes whenever the file or folder does, as far as its file system tells times apart; undefined where there is none. */
function stampOf(path: string): string | undefined {
  const facts = statSync(path, { bigint: true, throwIfNoEntry: false })
  return facts && `${facts.ino} ${facts.size} ${facts.mtimeNs} ${facts.ctimeNs}`
}
