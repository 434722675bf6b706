import { lstat, readdir, statfs } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { HardwareReport } from '../../shared/messages/index.ts'
import { byteCount } from './numbers.ts'

/**
 * The file system that will hold the variants: always the real one, also when the identity is captured.
 * A limit is a budget for the whole state folder: what lies there already counts against it. 0 means unknown.
 */
export async function readStorage(
  stateDir: string,
  limitBytes: number | undefined,
): Promise<HardwareReport['storage']> {
  const disk = await spaceAt(resolve(stateDir))
  if (limitBytes === undefined) return disk
  const left = limitBytes - (await bytesUnder(stateDir))
  return {
    totalBytes: byteCount(Math.min(disk.totalBytes, limitBytes)),
    freeBytes: byteCount(Math.min(disk.freeBytes, left)),
  }
}

/** The folder may not exist yet: then its nearest existing ancestor tells. */
async function spaceAt(folder: string): Promise<HardwareReport['storage']> {
  try {
    const stats = await statfs(folder)
    return {
      totalBytes: byteCount(stats.blocks * stats.bsize),
      freeBytes: byteCount(stats.bavail * stats.bsize),
    }
  } catch {
    const parent = dirname(folder)
    return parent === folder ? { totalBytes: 0, freeBytes: 0 } : spaceAt(parent)
  }
}

async function bytesUnder(folder: string): Promise<number> {
  let total = 0
  try {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) total += await bytesUnder(path)
      else total += (await lstat(path)).size
    }
  } catch {
    // A file may go while we count, or not be ours to see: the count is what we saw.
  }
  return total
}
