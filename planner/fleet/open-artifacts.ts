import type { FileHandle } from 'node:fs/promises'
import type { Digest } from '../../shared/digest.ts'

export interface OpenArtifact {
  readonly bytes: number
  /** Fills the whole buffer. */
  readInto(buffer: Buffer, position: number): Promise<void>
  /** After the last read. */
  release(): void
}

interface Entry {
  readonly opened: Promise<{ readonly file: FileHandle; readonly bytes: number } | undefined>
  users: number
}

/**
 * Files that are being sent stay open: a block costs one read. An artifact never changes, so a file
 * once opened is right for as long as it is held. The least recently used ones are closed.
 */
export class OpenArtifacts {
  #most: number
  readonly #find: (artifact: Digest) => Promise<FileHandle | undefined>
  readonly #entries = new Map<Digest, Entry>()

  constructor(most: number, find: (artifact: Digest) => Promise<FileHandle | undefined>) {
    this.#most = most
    this.#find = find
  }

  /** `undefined` for an artifact nobody knows. Rejects when its file cannot be opened. */
  async acquire(artifact: Digest): Promise<OpenArtifact | undefined> {
    const entry = this.#entries.get(artifact) ?? { opened: this.#open(artifact), users: 0 }
    this.#entries.delete(artifact)
    this.#entries.set(artifact, entry)
    entry.users += 1
    try {
      const opened = await entry.opened
      if (opened !== undefined) return this.#lend(entry, opened)
    } catch (error) {
      this.#discard(artifact, entry)
      throw error
    }
    this.#discard(artifact, entry)
    return undefined
  }

  /** Reads under way are finished, later ones fail; what is opened all the same is closed on release. */
  async close(): Promise<void> {
    this.#most = 0
    const entries = [...this.#entries.values()]
    this.#entries.clear()
    await Promise.allSettled(entries.map(async ({ opened }) => (await opened)?.file.close()))
  }

  async #open(artifact: Digest) {
    const file = await this.#find(artifact)
    if (file === undefined) return undefined
    try {
      return { file, bytes: (await file.stat()).size }
    } catch (error) {
      await file.close()
      throw error
    }
  }

  #lend(entry: Entry, { file, bytes }: { file: FileHandle; bytes: number }): OpenArtifact {
    return {
      bytes,
      readInto: (buffer, position) => fill(file, buffer, position),
      release: () => {
        entry.users -= 1
        this.#closeOldest()
      },
    }
  }

  #discard(artifact: Digest, entry: Entry): void {
    if (this.#entries.get(artifact) === entry) this.#entries.delete(artifact)
  }

  #closeOldest(): void {
    for (const [artifact, entry] of this.#entries) {
      if (this.#entries.size <= this.#most) return
      if (entry.users > 0) continue
      this.#entries.delete(artifact)
      void entry.opened.then((opened) => opened?.file.close()).catch(() => {})
    }
  }
}

async function fill(file: FileHandle, buffer: Buffer, position: number): Promise<void> {
  let filled = 0
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, position + filled)
    if (bytesRead === 0) throw new Error('the artifact file is shorter than it was')
    filled += bytesRead
  }
}
