import { lstat, readlink, rm, symlink } from 'node:fs/promises'
import { draftOf, settle } from '../../shared/durable/index.ts'
import { isMissing } from '../../shared/errors.ts'

/** Points the symbolic link at `target`, atomically: a reader sees the old one or the new one. */
export async function pointLink(path: string, target: string): Promise<void> {
  const draft = draftOf(path)
  await rm(draft, { force: true })
  await symlink(target, draft)
  await settle(draft, path)
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
