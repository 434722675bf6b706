import { dirname } from 'node:path'
import { makeFolder, readIfPresent, writeDurably } from '../durable/index.ts'

/** Text of a file; `undefined` where there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  return (await readIfPresent(path))?.toString('utf8')
}

/** Readable by its owner only (mode 0600), in a folder that nobody else may enter. */
export async function writeOwnerOnly(path: string, text: string): Promise<void> {
  await makeFolder(dirname(path), 0o700)
  await writeDurably(path, text, { mode: 0o600 })
}
