import { readFile } from 'node:fs/promises'
import { messageOf, UsageError } from '../../../shared/errors.ts'

/** @throws UsageError */
export async function readText(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new UsageError(`cannot read the ${what} ${file}: ${messageOf(error)}`)
  }
}
