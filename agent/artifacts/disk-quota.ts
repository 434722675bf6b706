import { lstat, mkdir, readdir, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing } from '../../shared/errors.ts'
import { formatBytes } from '../../shared/units.ts'
import { ArtifactError, storageError } from './errors.ts'

/** Kept free on the file system for the journal and its rewriting, whatever else the device stores. */
const JOURNAL_RESERVE_BYTES = 1024 * 1024

/** Bytes the agent may still use: what the file system has, and what its own budget allows. */
export class DiskQuota {
  readonly #directory: string
  readonly #limitBytes: number | null
  readonly #reserved = new Map<symbol, () => Promise<number>>()

  constructor(stateDir: string, limitBytes: number | null) {
    this.#directory = stateDir
    this.#limitBytes = limitBytes
  }

  async freeBytes(): Promise<number> {
    try {
      await mkdir(this.#directory, { recursive: true })
      const { bavail, bsize } = await statfs(this.#directory)
      const onDisk = bavail * bsize - JOURNAL_RESERVE_BYTES
      const inBudget =
        this.#limitBytes === null ? onDisk : this.#limitBytes - (await treeBytes(this.#directory))
      let promised = 0
      for (const pending of this.#reserved.values()) promised += await pending()
      return Math.min(onDisk, inBudget) - promised
    } catch (error) {
      throw storageError(error, `cannot measure ${this.#directory}`)
    }
  }

  /** @param pending bytes that the reservation still waits for; the rest is on disk already */
  reserve(pending: () => Promise<number>): () => void {
    const key = Symbol('reservation')
    this.#reserved.set(key, pending)
    return () => this.#reserved.delete(key)
  }

  full(neededBytes: number, freeBytes: number): ArtifactError {
    const free = formatBytes(Math.max(0, freeBytes))
    const where =
      this.#limitBytes === null
        ? `on the file system of ${this.#directory}`
        : `of the ${formatBytes(this.#limitBytes)} this agent may use`
    return new ArtifactError(
      'storage-full',
      `needs ${formatBytes(neededBytes)}, ${free} are free ${where}: free some space${this.#limitBytes === null ? '' : ' or raise --storage-limit'}`,
      { neededBytes, freeBytes: Math.max(0, freeBytes), limitBytes: this.#limitBytes },
    )
  }
}

/** Sizes of all files below a directory, each once however many names it has; files that vanish meanwhile count as nothing. */
export async function treeBytes(directory: string): Promise<number> {
  const bytes = new Map<number, number>()
  for (const path of await filesBelow(directory)) {
    const stats = await lstat(path).catch(() => undefined)
    if (stats) bytes.set(stats.ino, stats.size)
  }
  return [...bytes.values()].reduce((sum, size) => sum + size, 0)
}

export async function sizeOf(path: string): Promise<number> {
  try {
    return (await lstat(path)).size
  } catch (error) {
    if (isMissing(error)) return 0
    throw error
  }
}

async function filesBelow(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true, recursive: true })
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}
