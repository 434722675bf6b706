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

/** Files of one folder that are whole or absent, whenever the power goes, and whoever else writes here. */
export class DurableFolder {
  readonly dir: string

  constructor(dir: string) {
    this.dir = dir
  }

  async read(name: string): Promise<Buffer | null> {
    return (await readIfPresent(join(this.dir, name))) ?? null
  }

  async list(): Promise<string[]> {
    try {
      return (await readdir(this.dir)).filter((name) => !name.startsWith('.')).sort()
    } catch (error) {
      if (isMissing(error)) return []
      throw error
    }
  }

  async write(name: string, bytes: Uint8Array | string, mode = 0o644): Promise<void> {
    await makeFolder(this.dir, 0o700)
    await writeDurably(join(this.dir, name), bytes, { mode, draft: this.#newDraft() })
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
    return true
  }

  async remove(name: string): Promise<void> {
    await removeDurably(join(this.dir, name))
  }

  #newDraft(): string {
    return join(this.dir, `.${newId()}.draft`)
  }
}
