import { mkdtempSync, statfsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDiskFull, messageOf } from '../../shared/errors.ts'
import { formatBytes } from '../../shared/units.ts'
import { QuantizerError } from './errors.ts'

/**
 * What `work` gives, with a folder for working files that goes afterwards. Its first step is taken before this returns.
 * @param bytes it is about to write
 * @throws QuantizerError `no-scratch-space`, and what `work` throws while there is room
 */
export async function inScratch<T>(
  bytes: number,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  let folder: string | undefined
  let room = 0
  try {
    folder = mkdtempSync(join(tmpdir(), 'fitment-quantizer-'))
    room = roomIn(folder)
    return await work(folder)
  } catch (cause) {
    // Runtimes tell of a full disk in words of their own.
    if (room >= bytes && !isDiskFull(cause)) throw cause
    throw new QuantizerError(
      'no-scratch-space',
      `${tmpdir()} has no room for working files of ${formatBytes(bytes)} (${messageOf(cause)}): free some, or name another folder in TMPDIR`,
      { bytes },
      { cause },
    )
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  }
}

function roomIn(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}
