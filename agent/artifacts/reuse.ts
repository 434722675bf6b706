import { open } from 'node:fs/promises'
import { BLOCK_BYTES } from '../../shared/messages/index.ts'
import type { BlockFetchOptions, BlockJob } from './block-fetch.ts'
import type { BlockList } from './block-list.ts'
import { whenOpen } from './block-source.ts'
import { abortedError } from './errors.ts'

/** Read of older files for one artifact, at most: beyond it a fetch costs a small processor less. */
const MOST_READ_BYTES = 64 * 1024 * 1024

type ReuseOptions = Pick<BlockFetchOptions, 'gate' | 'signal'>

/**
 * Takes blocks that lie here in other files, at the same place or another: those of the variant that a device has, where the
 * new one differs in few. Answers which blocks are here then. A file that cannot be read has none.
 * @throws ArtifactError `aborted`, or what `write` throws
 */
export async function reuseBlocks(
  job: BlockJob,
  list: BlockList,
  files: readonly string[],
  { gate, signal }: ReuseOptions,
): Promise<ReadonlySet<number>> {
  const here = new Set(job.present)
  for await (const block of blocksOf(files)) {
    if (here.size === job.count) break
    await whenOpen(gate, signal)
    if (signal.aborted) throw abortedError(job.artifact)
    for (const index of list.placesOf(block)) {
      if (here.has(index)) continue
      await job.write(index, block)
      here.add(index)
      job.progress?.(job.count - here.size)
    }
  }
  return here
}

/** The blocks of all files, as far as may be read; each holds until the next one is asked for. */
async function* blocksOf(files: readonly string[]): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(BLOCK_BYTES)
  let read = 0
  for (const path of files) {
    const file = await open(path).catch(() => undefined)
    if (file === undefined) continue
    try {
      for (let at = 0; read < MOST_READ_BYTES; at += BLOCK_BYTES) {
        const bytes = await file.read(buffer, 0, BLOCK_BYTES, at).then(
          ({ bytesRead }) => bytesRead,
          () => 0,
        )
        if (bytes === 0) break
        read += bytes
        yield buffer.subarray(0, bytes)
      }
    } finally {
      await file.close()
    }
  }
}
