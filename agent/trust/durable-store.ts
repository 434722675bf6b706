import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { TrustError } from '../../shared/trust/index.ts'

/**
 * Named files that survive a cut of power: each write is a draft, synced, renamed, and the folder
 * synced. What cannot be fetched again is kept twice, one copy written after the other: whenever the
 * power goes, or a sector dies, one of them is whole.
 */
export class DurableStore {
  readonly #dir: string
  readonly #second: string

  /** `second`: the folder of the second copies. */
  constructor(dir: string, second: string = join(dir, 'backup')) {
    this.#dir = dir
    this.#second = second
  }

  /** `null` where there is none. @throws TrustError `trust-store` */
  async read(name: string): Promise<Buffer | null> {
    return await readFrom(join(this.#dir, name))
  }

  /** @throws TrustError `trust-store` */
  async write(name: string, bytes: Uint8Array): Promise<void> {
    await writeTo(join(this.#dir, name), bytes)
  }

  async writeTwice(name: string, bytes: Uint8Array): Promise<void> {
    await this.write(name, bytes)
    await writeTo(join(this.#second, name), bytes)
  }

  /** The first copy that `parse` takes without throwing; `null` where no copy is any good. */
  async readTwice<T>(name: string, parse: (bytes: Buffer) => T): Promise<T | null> {
    for (const dir of [this.#dir, this.#second]) {
      const bytes = await readFrom(join(dir, name))
      if (!bytes) continue
      try {
        return parse(bytes)
      } catch {
        // The other copy, then.
      }
    }
    return null
  }

  async remove(name: string): Promise<void> {
    await attempt(`cannot remove ${name}`, async () => {
      await rm(join(this.#dir, name), { force: true })
      await syncFolder(this.#dir)
    })
  }
}

function readFrom(path: string): Promise<Buffer | null> {
  return attempt(`cannot read ${path}`, () => readIfPresent(path))
}

function writeTo(path: string, bytes: Uint8Array): Promise<void> {
  return attempt(`cannot write ${path}`, () => writeDurably(path, bytes))
}

async function readIfPresent(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path)
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const folder = dirname(path)
  await mkdir(folder, { recursive: true })
  const draft = join(folder, `.${basename(path)}.draft`)
  try {
    const file = await open(draft, 'w', 0o600)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
  await syncFolder(folder)
}

async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}

async function attempt<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const errno = error instanceof Error && 'code' in error ? error.code : undefined
    throw new TrustError(
      'trust-store',
      `${doing}: ${errno ?? String(error)}; check the file system of the state directory`,
      { errno },
      { cause: error },
    )
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
