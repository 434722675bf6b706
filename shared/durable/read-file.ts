import { readFile } from 'node:fs/promises'
import { errnoOf } from '../errors.ts'

/** `undefined` where there is no such file. A file where a folder must be is an error: nothing could be written there. */
export async function readIfPresent(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}
