import { dirname, join } from 'node:path'
import {
  makeFolder,
  readIfPresent,
  removeDurably,
  writeDurably,
} from '../../shared/durable/index.ts'
import { errnoOf } from '../../shared/errors.ts'
import { TrustError } from '../../shared/trust/index.ts'

/**
 * Named files that survive a cut of power. What cannot be fetched again is kept twice, one copy written
 * after the other: whenever the power goes, or a sector dies, one of them is whole.
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
    await attempt(`cannot remove ${name}`, () => removeDurably(join(this.#dir, name)))
  }
}

function readFrom(path: string): Promise<Buffer | null> {
  return attempt(`cannot read ${path}`, async () => (await readIfPresent(path)) ?? null)
}

function writeTo(path: string, bytes: Uint8Array): Promise<void> {
  return attempt(`cannot write ${path}`, async () => {
    await makeFolder(dirname(path))
    await writeDurably(path, bytes, { mode: 0o600 })
  })
}

async function attempt<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const errno = errnoOf(error)
    throw new TrustError(
      'trust-store',
      `${doing}: ${errno ?? String(error)}; check the file system of the state directory`,
      { errno },
      { cause: error },
    )
  }
}
