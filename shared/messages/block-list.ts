import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { type ArtifactRef, BLOCK_BYTES, blockCount, MAX_ARTIFACT_BYTES } from '../artifact.ts'
import { digestOf } from '../digest.ts'
import { UsageError } from '../errors.ts'

const DIGEST_BYTES = 32
const READ_BYTES = 16 * BLOCK_BYTES

export interface BlockListed {
  readonly ref: ArtifactRef
  /** The artifact that `ref.blockList` names: the 32-byte SHA-256 of every block, one after another. */
  readonly blockList: Buffer
}

/** Bytes of the block list of an artifact of this size. */
export function blockListBytes(artifactBytes: number): number {
  return blockCount(artifactBytes) * DIGEST_BYTES
}

/**
 * One pass over the file: memory is one read of 1 MiB and the list itself.
 * @throws UsageError for a file that is empty or larger than an artifact may be
 */
export async function blockListOf(path: string): Promise<BlockListed> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    if (size === 0 || size > MAX_ARTIFACT_BYTES) {
      const message = `${path} has ${size} bytes: an artifact has 1 to ${MAX_ARTIFACT_BYTES}`
      throw new UsageError(message, { path, size })
    }
    return await listBlocks(file)
  } finally {
    await file.close()
  }
}

async function listBlocks(file: FileHandle): Promise<BlockListed> {
  const whole = createHash('sha256')
  const digests: Buffer[] = []
  const buffer = Buffer.allocUnsafe(READ_BYTES)
  let bytes = 0
  for (;;) {
    const filled = await fill(file, buffer, bytes)
    if (filled === 0) break
    const part = buffer.subarray(0, filled)
    whole.update(part)
    for (let at = 0; at < filled; at += BLOCK_BYTES) {
      digests.push(
        createHash('sha256')
          .update(part.subarray(at, at + BLOCK_BYTES))
          .digest(),
      )
    }
    bytes += filled
  }
  const blockList = Buffer.concat(digests)
  return { blockList, ref: { digest: whole.digest('hex'), bytes, blockList: digestOf(blockList) } }
}

/** Reads until the buffer is full or the file ends: a read may return less than asked. */
async function fill(file: FileHandle, buffer: Buffer, position: number): Promise<number> {
  let filled = 0
  while (filled < buffer.length) {
    const left = buffer.length - filled
    const { bytesRead } = await file.read(buffer, filled, left, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}
