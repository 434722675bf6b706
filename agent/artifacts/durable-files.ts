import { lstat, open, readlink, rename, rm, symlink, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isMissing } from './errors.ts'

/** A rename or unlink outlives a power cut only once the directory that names the file is synced. */
export async function syncDirectory(path: string): Promise<void> {
  await syncFile(path)
}

export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Old content or new content, never a mixture: draft, sync, rename, sync of the directory. */
export async function writeDurably(path: string, bytes: Uint8Array | string): Promise<void> {
  const draft = draftOf(path)
  try {
    const handle = await open(draft, 'w')
    try {
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
  await syncDirectory(dirname(path))
}

/** Points the symbolic link at `target`, atomically: a reader sees the old one or the new one. */
export async function pointLink(path: string, target: string): Promise<void> {
  const draft = draftOf(path)
  await rm(draft, { force: true })
  await symlink(target, draft)
  await rename(draft, path)
  await syncDirectory(dirname(path))
}

export async function removeLink(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  await syncDirectory(dirname(path))
}

/** What the link says, whether or not anything is there; `null` without a link. */
export async function readLink(path: string): Promise<string | null> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : null
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

export async function moveDurably(from: string, to: string): Promise<void> {
  await rename(from, to)
  await syncDirectory(dirname(to))
  if (dirname(from) !== dirname(to)) await syncDirectory(dirname(from))
}

/** One fixed name per path: a draft left by a power cut is overwritten, never collected. */
function draftOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.draft`)
}
