import { readFile } from 'node:fs/promises'
import { isMissing } from '../errors.ts'

/** `undefined` where there is no such file. */
export async function readIfPresent(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}
