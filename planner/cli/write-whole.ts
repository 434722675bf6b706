import { rename, rm, writeFile } from 'node:fs/promises'
import { messageOf, UsageError } from '../../shared/errors.ts'

/** Whole or not at all: a reader never sees half a file. @throws UsageError */
export async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    await writeFile(temporary, content)
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw new UsageError(`cannot write ${path}: ${messageOf(cause)}`, { path }, { cause })
  }
}
