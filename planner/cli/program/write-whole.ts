import { stat } from 'node:fs/promises'
import { writeDurably } from '../../../shared/durable/index.ts'
import { reasonOf, UsageError } from '../../../shared/errors.ts'

/**
 * Whole or not at all: a reader never sees half a file.
 * @param mode what the file has from its first byte on; what the umask takes stays taken
 * @throws UsageError
 */
export async function writeWhole(
  path: string,
  content: Uint8Array | string,
  mode?: number,
): Promise<void> {
  try {
    await writeDurably(path, content, {
      draft: `${path}.${process.pid}.tmp`,
      ...(mode !== undefined && { mode }),
    })
  } catch (cause) {
    throw new UsageError(`cannot write ${path}: ${reasonOf(cause)}`, { path }, { cause })
  }
}

/**
 * A file that takes the place of another is gone for good, and so is a device.
 * @param sources what is read to make it
 * @throws UsageError where `path` is one of them, or no file
 */
export async function refuseToReplace(path: string, sources: readonly string[]): Promise<void> {
  const there = await stat(path).catch(() => null)
  if (there === null) return
  if (!there.isFile()) {
    throw new UsageError(`${path} is a folder or a device: name a file to write`, { path })
  }
  for (const source of sources) {
    const other = await stat(source).catch(() => null)
    if (other?.ino !== there.ino || other.dev !== there.dev) continue
    throw new UsageError(
      `${path} is what the result is made from, and would be lost: name another file`,
      { path, source },
    )
  }
}
