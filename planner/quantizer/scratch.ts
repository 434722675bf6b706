import { mkdtempSync } from 'node:fs'
import { rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageOf } from '../../shared/errors.ts'
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
  try {
    folder = mkdtempSync(join(tmpdir(), 'fitment-quantizer-'))
    return await work(folder)
  } catch (cause) {
    // Runtimes tell of a full disk in words of their own.
    if (folder !== undefined && (await hasRoom(folder, bytes))) throw cause
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

async function hasRoom(folder: string, bytes: number): Promise<boolean> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize >= bytes
}
