import { digestOfFile } from '../../shared/digest.ts'
import { writeDurably } from '../../shared/durable/index.ts'
import { type ArtifactRef, BLOCK_BYTES, blockCount } from '../../shared/messages/index.ts'
import { type BlockFetchOptions, fetchBlocks } from './block-fetch.ts'
import { BlockList, blockBytes } from './block-list.ts'
import { ArtifactError, storageError } from './errors.ts'
import { PartialFile, readFileIfPresent } from './partial-file.ts'

/** Fetches of the block list before its digest is believed to be wrong at the sender. */
const LIST_ATTEMPTS = 3

export interface DownloadOptions extends BlockFetchOptions {
  /** Where the bytes grow; the block list is kept beside it. */
  readonly partial: string
  /** Bytes that are on disk and verified. */
  readonly progress?: (bytesDone: number) => void
}

/** Fills `partial` with the artifact: whole, verified and synced when the promise resolves. */
export async function download(artifact: ArtifactRef, options: DownloadOptions): Promise<void> {
  const list = await obtainList(artifact, options)
  const file = await PartialFile.open(options.partial)
  try {
    const present = await file.present(list, options.signal)
    options.progress?.(doneBytes(artifact, list.count - present.length))
    await fetchBlocks(
      {
        artifact: artifact.digest,
        count: list.count,
        present,
        verifies: (index, bytes) => list.verifies(index, bytes),
        write: (index, bytes) => file.write(index, bytes),
        progress: (remaining) => options.progress?.(doneBytes(artifact, remaining)),
      },
      options,
    )
    await file.finish(artifact.bytes)
  } finally {
    await file.close()
  }
  if ((await digestOfFile(options.partial)) !== artifact.digest) {
    throw wrongDigest(artifact, 'its blocks are right one by one, but not together')
  }
}

/** From disk where an earlier attempt left it; otherwise fetched, as an artifact of its own. */
async function obtainList(artifact: ArtifactRef, options: DownloadOptions): Promise<BlockList> {
  const path = `${options.partial}.list`
  const kept = await readFileIfPresent(path)
  const known = kept && BlockList.verify(kept, artifact)
  if (known) return known
  for (let attempt = 0; attempt < LIST_ATTEMPTS; attempt += 1) {
    const bytes = await fetchList(artifact, options)
    const list = BlockList.verify(bytes, artifact)
    if (!list) continue
    try {
      await writeDurably(path, bytes)
    } catch (error) {
      throw storageError(error, `cannot write ${path}`)
    }
    return list
  }
  throw wrongDigest(artifact, 'its block list is not the one it names')
}

/** Into memory: 32 bytes per block, 1 MiB for the largest artifact there may be. */
async function fetchList(artifact: ArtifactRef, options: DownloadOptions): Promise<Buffer> {
  const bytes = Buffer.alloc(BlockList.bytesFor(artifact))
  await fetchBlocks(
    {
      artifact: artifact.blockList,
      count: blockCount(bytes.length),
      present: [],
      verifies: (index, block) => block.length === blockBytes(bytes.length, index),
      write: async (index, block) => {
        bytes.set(block, index * BLOCK_BYTES)
      },
    },
    options,
  )
  return bytes
}

function doneBytes(artifact: ArtifactRef, remainingBlocks: number): number {
  return Math.max(0, artifact.bytes - remainingBlocks * BLOCK_BYTES)
}

function wrongDigest(artifact: ArtifactRef, why: string): ArtifactError {
  return new ArtifactError(
    'wrong-digest',
    `artifact ${artifact.digest.slice(0, 12)} does not have the digest it is ordered by: ${why}`,
    { artifact: artifact.digest },
  )
}
