import { constants } from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { readIfPresent } from '../../shared/durable/index.ts'
import { BLOCK_BYTES } from '../../shared/messages/index.ts'
import type { BlockList } from './block-list.ts'
import { storageError } from './errors.ts'

/**
 * An artifact on its way in: blocks written in place, no map of what is there beside it. After a
 * restart the blocks on disk are checked against the signed list once more, so neither a torn write
 * nor a page that a power cut lost can pass for a block.
 */
export class PartialFile {
  readonly #path: string
  readonly #handle: FileHandle

  private constructor(path: string, handle: FileHandle) {
    this.#path = path
    this.#handle = handle
  }

  static async open(path: string): Promise<PartialFile> {
    try {
      return new PartialFile(path, await open(path, constants.O_RDWR | constants.O_CREAT, 0o644))
    } catch (error) {
      throw storageError(error, `cannot open ${path}`)
    }
  }

  /** Blocks that are on disk and right. Reads no further than the file reaches. */
  async present(list: BlockList, signal?: AbortSignal): Promise<number[]> {
    const { size } = await this.#handle.stat()
    const buffer = Buffer.allocUnsafe(BLOCK_BYTES)
    const blocks: number[] = []
    for (let index = 0; index < list.count && index * BLOCK_BYTES < size; index += 1) {
      signal?.throwIfAborted()
      const { bytesRead } = await this.#handle.read(
        buffer,
        0,
        list.sizeOf(index),
        index * BLOCK_BYTES,
      )
      if (list.verifies(index, buffer.subarray(0, bytesRead))) blocks.push(index)
    }
    return blocks
  }

  /** @throws ArtifactError `disk-full`, `read-only`, `storage-failed` */
  async write(index: number, block: Uint8Array): Promise<void> {
    try {
      await this.#handle.write(block, 0, block.length, index * BLOCK_BYTES)
    } catch (error) {
      throw storageError(error, `cannot write block ${index} of ${this.#path}`)
    }
  }

  /** Cuts what an older, longer file of the same name left, and makes the rest outlive a power cut. */
  async finish(bytes: number): Promise<void> {
    try {
      await this.#handle.truncate(bytes)
      await this.#handle.sync()
    } catch (error) {
      throw storageError(error, `cannot finish ${this.#path}`)
    }
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}

export async function readFileIfPresent(path: string): Promise<Buffer | undefined> {
  try {
    return await readIfPresent(path)
  } catch (error) {
    throw storageError(error, `cannot read ${path}`)
  }
}

export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true })
}
