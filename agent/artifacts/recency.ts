import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../../shared/digest.ts'
import { isMissing } from '../../shared/errors.ts'

export interface StoredFile {
  readonly path: string
  /** The file's name up to its first dot. */
  readonly digest: Digest
  readonly bytes: number
}

/** Files of one directory by the time of their last use, oldest first. */
export async function leastRecentFirst(directory: string): Promise<StoredFile[]> {
  const files: (StoredFile & { usedAt: number })[] = []
  for (const name of await namesIn(directory)) {
    const path = join(directory, name)
    const stats = await lstat(path).catch(() => undefined)
    if (!stats?.isFile()) continue
    const digest = name.replace(/\..*$/, '')
    files.push({ path, digest, bytes: stats.size, usedAt: stats.mtimeMs })
  }
  return files.sort((a, b) => a.usedAt - b.usedAt)
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}
