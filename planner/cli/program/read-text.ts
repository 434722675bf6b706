import { open, readFile } from 'node:fs/promises'
import { reasonOf, UsageError } from '../../../shared/errors.ts'

/** @throws UsageError */
export async function readText(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new UsageError(`cannot read the ${what} ${file}: ${reasonOf(error)}`)
  }
}

/** For a file that is sent as it is, piece by piece. @throws UsageError where it cannot be read */
export async function requireReadable(path: string): Promise<void> {
  try {
    const file = await open(path)
    try {
      // A folder opens, and cannot be read.
      await file.read(Buffer.alloc(1), 0, 1, 0)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${reasonOf(error)}`)
  }
}
