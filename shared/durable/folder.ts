import { mkdir, open, rename, rm, statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { isMissing } from '../errors.ts'

export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** A rename or unlink outlives a power cut only once the folder that names the file is synced. */
export async function syncFolder(path: string): Promise<void> {
  await syncFile(path)
}

/** What is left on its disk for who is not root. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}

/** With those above it, each of them durable. @param mode of those that are made */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode })
  if (first === undefined) return
  const above = dirname(resolve(first))
  for (let folder = resolve(path); folder !== above; ) {
    folder = dirname(folder)
    await syncFolder(folder)
  }
}

export async function moveDurably(from: string, to: string): Promise<void> {
  await rename(from, to)
  await syncFolder(dirname(to))
  if (dirname(from) !== dirname(to)) await syncFolder(dirname(from))
}

/** A file or a link, whether or not it is there. */
export async function removeDurably(path: string): Promise<void> {
  await rm(path, { force: true })
  try {
    await syncFolder(dirname(path))
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}
