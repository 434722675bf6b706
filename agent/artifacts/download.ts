import { digestOfFile } from '../../shared/digest.ts'
import { writeDurably } from '../../shared/durable/index.ts'
import { type ArtifactRef, BLOCK_BYTES, blockCount } from '../../shared/messages/index.ts'
import { type BlockFetchOptions, type BlockJob, fetchBlocks } from './block-fetch.ts'
import { BlockList, blockBytes } from './block-list.ts'
import { type ArtifactCopy, CopyError, type CopyJob } from './copy/index.ts'
import { ArtifactError, storageError } from './errors.ts'
import { PartialFile, readFileIfPresent } from './partial-file.ts'
import { reuseBlocks } from './reuse.ts'

/** Fetches of the block list before its digest is believed to be wrong at the sender. */
const LIST_ATTEMPTS = 3

export interface DownloadOptions extends BlockFetchOptions {
  /** Where the bytes grow; the block list is kept beside it. */
  readonly partial: string
  /** Files that may share blocks with it; default: none. */
  older?(): Promise<readonly string[]>
  /** Asked first. */
  readonly copy?: ArtifactCopy | undefined
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
    const job: CopyJob = {
      artifact: artifact.digest,
      bytes: artifact.bytes,
      count: list.count,
      present,
      verifies: (index, bytes) => list.verifies(index, bytes),
      write: (index, bytes) => file.write(index, bytes),
      progress: (remaining) => options.progress?.(doneBytes(artifact, remaining)),
    }
    const reused = await reuse(job, list, options)
    const pulled = await options.copy?.pull({ ...job, present: reused }, options)
    await fetchBlocks({ ...job, present: pulled ?? reused }, options)
    await file.finish(artifact.bytes)
  } finally {
    await file.close()
  }
  if ((await digestOfFile(options.partial)) !== artifact.digest) {
    throw wrongDigest(artifact, 'its blocks are right one by one, but not together')
  }
}

async function reuse(
  job: CopyJob,
  list: BlockList,
  options: DownloadOptions,
): Promise<Iterable<number>> {
  // What is one block is here whole, or not at all.
  if (list.count === 1 || options.older === undefined) return job.present
  return await reuseBlocks(job, list, await options.older(), options)
}

/** From disk where an earlier attempt left it; otherwise fetched, as an artifact of its own. */
async function obtainList(artifact: ArtifactRef, options: DownloadOptions): Promise<BlockList> {
  const path = `${options.partial}.list`
  const kept = await readFileIfPresent(path)
  const known = kept && BlockList.verify(kept, artifact)
  if (known) return known
  const pulled = await pullList(artifact, options)
  for (let attempt = 0; attempt < LIST_ATTEMPTS; attempt += 1) {
    const bytes = pulled ?? (await fetchList(artifact, options))
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

/** The list from the copy of the artifacts, where that has it; right or not at all. */
async function pullList(
  artifact: ArtifactRef,
  { copy, ...options }: DownloadOptions,
): Promise<Buffer | undefined> {
  const { job, bytes } = listJob(artifact)
  const pulled = await copy?.pull({ ...job, bytes: bytes.length }, options)
  if (pulled?.size !== job.count) return undefined
  if (BlockList.verify(bytes, artifact)) return bytes
  const error = new CopyError('has another block list')
  copy?.refused(artifact.blockList, error, options.monotonic())
  return undefined
}

async function fetchList(artifact: ArtifactRef, options: DownloadOptions): Promise<Buffer> {
  const { job, bytes } = listJob(artifact)
  await fetchBlocks(job, options)
  return bytes
}

/** Into memory: 32 bytes per block, 1 MiB for the largest artifact there may be. */
function listJob(artifact: ArtifactRef): { readonly job: BlockJob; readonly bytes: Buffer } {
  const bytes = Buffer.alloc(BlockList.bytesFor(artifact))
  const job: BlockJob = {
    artifact: artifact.blockList,
    count: blockCount(bytes.length),
    present: [],
    verifies: (index, block) => block.length === blockBytes(bytes.length, index),
    write: async (index, block) => {
      bytes.set(block, index * BLOCK_BYTES)
    },
  }
  return { job, bytes }
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
