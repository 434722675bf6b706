import { link, mkdir, open, readdir, readFile, rename, rm, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { newId } from '../../shared/ids.ts'

/** Files of one folder that are whole or absent, whenever the power goes. */
export class DurableFolder {
  readonly dir: string

  constructor(dir: string) {
    this.dir = dir
  }

  async read(name: string): Promise<Buffer | null> {
    try {
      return await readFile(join(this.dir, name))
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return null
      throw error
    }
  }

  async list(): Promise<string[]> {
    try {
      return (await readdir(this.dir)).filter((name) => !name.startsWith('.')).sort()
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return []
      throw error
    }
  }

  async write(name: string, bytes: Uint8Array | string, mode = 0o644): Promise<void> {
    const draft = await this.#draft(bytes, mode)
    await rename(draft, join(this.dir, name))
    await this.#sync()
  }

  /** False where the name is taken: of two writers, one wins. */
  async create(name: string, bytes: Uint8Array | string, mode = 0o644): Promise<boolean> {
    const draft = await this.#draft(bytes, mode)
    try {
      await link(draft, join(this.dir, name))
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return false
      throw error
    } finally {
      await unlink(draft)
    }
    await this.#sync()
    return true
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.dir, name), { force: true })
    await this.#sync()
  }

  async #draft(bytes: Uint8Array | string, mode: number): Promise<string> {
    await mkdir(this.dir, { recursive: true, mode: 0o700 })
    const draft = join(this.dir, `.${newId()}.draft`)
    const file = await open(draft, 'wx', mode)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    return draft
  }

  async #sync(): Promise<void> {
    for (const path of [this.dir, dirname(this.dir)]) {
      const folder = await open(path, 'r')
      try {
        await folder.sync()
      } finally {
        await folder.close()
      }
    }
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
