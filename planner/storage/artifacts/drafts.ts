import { type FileHandle, mkdir, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { isDiskFull } from '../../../shared/errors.ts'
import { newId } from '../../../shared/ids.ts'
import { MAX_ARTIFACT_BYTES } from '../../../shared/messages/index.ts'
import { formatBytes } from '../../../shared/units.ts'
import { StorageError } from '../errors.ts'

/** Folder of what is being written. */
export const INCOMING = 'incoming'

/** Under a name of its own, on disk when it resolves; removed again when it cannot be finished. */
export async function writeDraft(root: string, stream: AsyncIterable<Uint8Array>): Promise<string> {
  const incoming = join(root, INCOMING)
  await mkdir(incoming, { recursive: true })
  const draft = join(incoming, newId())
  const file = await open(draft, 'wx')
  try {
    const bytes = await fill(file, stream)
    if (bytes === 0) throw unusable('is empty')
    await file.sync()
    return draft
  } catch (error) {
    await unlink(draft).catch(() => {})
    throw isDiskFull(error) ? full(root, error) : error
  } finally {
    await file.close()
  }
}

async function fill(file: FileHandle, stream: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0
  for await (const chunk of stream) {
    bytes += chunk.length
    if (bytes > MAX_ARTIFACT_BYTES) {
      throw unusable(`is longer than ${formatBytes(MAX_ARTIFACT_BYTES)}`)
    }
    for (let at = 0; at < chunk.length; ) {
      const { bytesWritten } = await file.write(chunk, at)
      at += bytesWritten
    }
  }
  return bytes
}

function unusable(what: string): StorageError {
  return new StorageError('unusable', `the file ${what}: it cannot become an artifact`)
}

function full(root: string, cause: unknown): StorageError {
  const message = `no space left under ${root}: free some and try again`
  return new StorageError('full', message, { root }, { cause })
}
