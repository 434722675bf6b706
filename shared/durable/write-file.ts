import { open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { syncFolder } from './folder.ts'

export interface DurableWrite {
  /** Of the file, less the process's mask. */
  readonly mode?: number
  /** Where the bytes are written before they take their name, in the same folder. */
  readonly draft?: string
}

/** Old bytes or new bytes, never a mixture; durable when it resolves. */
export async function writeDurably(
  path: string,
  bytes: Uint8Array | string,
  { mode, draft = draftOf(path) }: DurableWrite = {},
): Promise<void> {
  await rm(draft, { force: true })
  await writeDraft(draft, bytes, mode)
  try {
    await settle(draft, path)
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {})
    throw error
  }
}

/** On disk when it resolves; nothing is left of one that cannot be finished. The name must be free. */
export async function writeDraft(
  draft: string,
  bytes: Uint8Array | string,
  mode = 0o666,
): Promise<void> {
  const file = await open(draft, 'wx', mode)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {})
    throw error
  } finally {
    await file.close()
  }
}

/** Gives a draft that is on disk its name. */
export async function settle(draft: string, path: string): Promise<void> {
  await rename(draft, path)
  await syncFolder(dirname(path))
}

/** The one fixed name per path. */
export function draftOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.draft`)
}
