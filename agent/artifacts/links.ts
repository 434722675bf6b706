import { lstat, readFile, readlink, rename, rm, symlink } from 'node:fs/promises'
import { draftOf, removeDurably, settle } from '../../shared/durable/index.ts'
import { errnoOf, isMissing } from '../../shared/errors.ts'

/** Points the symbolic link at `target`, atomically: a reader sees the old one or the new one. */
export async function pointLink(path: string, target: string): Promise<void> {
  const draft = draftOf(path)
  await rm(draft, { force: true })
  await symlink(target, draft)
  try {
    await settle(draft, path)
  } catch (error) {
    if (!STANDS_IN_THE_WAY.has(errnoOf(error) ?? '')) throw error
    await giveWay(path)
    await settle(draft, path)
  }
}

/** Whatever has its name goes. */
export async function removeLink(path: string): Promise<void> {
  if ((await copiedLink(path))?.kind === 'folder') await giveWay(path)
  await removeDurably(path)
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

/** What copies without links make of one: a folder with what it pointed at, or a file with its text. */
export type Copied = { readonly kind: 'folder' } | { readonly kind: 'text'; readonly text: string }

/** A link's text is a digest. */
const MOST_TEXT_BYTES = 256

/** `undefined` where there is a link, or nothing. */
export async function copiedLink(path: string): Promise<Copied | undefined> {
  try {
    const stats = await lstat(path)
    if (stats.isDirectory()) return { kind: 'folder' }
    if (!stats.isFile() || stats.size > MOST_TEXT_BYTES) return undefined
    return { kind: 'text', text: (await readFile(path, 'utf8')).trim() }
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** A folder is not replaced by a rename (rename(2)). */
const STANDS_IN_THE_WAY: ReadonlySet<string> = new Set(['EISDIR', 'ENOTEMPTY', 'EEXIST'])

/** Out of the way at once, however much there is to remove. */
async function giveWay(path: string): Promise<void> {
  const aside = `${path}.new`
  await rm(aside, { recursive: true, force: true })
  await rename(path, aside)
  await rm(aside, { recursive: true, force: true })
}
