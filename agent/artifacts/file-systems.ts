import { copyFile, link, mkdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { syncFile } from '../../shared/durable/index.ts'
import { errnoOf } from '../../shared/errors.ts'
import { ArtifactError, storageError } from './errors.ts'

/** What the file systems below a state directory can do; they need not be one. */
export interface FileSystems {
  /** A download becomes a slot without a copy. */
  readonly hardLinks: boolean
  /** `Motor` and `motor` are two models. */
  readonly caseSensitive: boolean
}

/** Names of the files with which it is tried, removed again. */
const TRIAL = '.fitment-trial'

/** Without space, or on a disk that became read-only, nothing is found out, and nothing has to stop. */
const TELLS_NOTHING: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES'])

/** A directory entry that the file system has no such thing as, or of another file system: link(2), symlink(2). */
export const CANNOT_LINK: ReadonlySet<string> = new Set([
  'EXDEV',
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EMLINK',
])

/**
 * Tries it, before anything is downloaded that could not be installed.
 * @param artifacts folder of downloads
 * @param slots folder of installed variants
 * @throws ArtifactError `no-symlinks`
 */
export async function lookAtFileSystems(artifacts: string, slots: string): Promise<FileSystems> {
  const from = join(artifacts, TRIAL)
  const to = join(slots, TRIAL)
  const clear = () => Promise.all([from, to].map((path) => rm(path, { force: true })))
  try {
    await mkdir(artifacts, { recursive: true })
    await mkdir(slots, { recursive: true })
    await clear()
    await writeFile(from, '')
    const hardLinks = await works(link(from, to))
    const caseSensitive = !(await isThere(join(artifacts, TRIAL.toUpperCase())))
    await clear()
    if (!(await works(symlink('nothing', to)))) throw noSymlinks(slots)
    return { hardLinks, caseSensitive }
  } catch (error) {
    if (!TELLS_NOTHING.has(errnoOf(error) ?? '')) throw storageError(error, `cannot use ${slots}`)
    return { hardLinks: true, caseSensitive: true }
  } finally {
    await clear().catch(() => {})
  }
}

/** A second name for the file; where there can be none, a copy, on disk when it resolves. */
export async function linkOrCopy(file: string, path: string): Promise<void> {
  if (await works(link(file, path))) return
  await copyFile(file, path)
  await syncFile(path)
}

async function works(linking: Promise<void>): Promise<boolean> {
  try {
    await linking
    return true
  } catch (error) {
    if (CANNOT_LINK.has(errnoOf(error) ?? '')) return false
    throw error
  }
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  )
}

function noSymlinks(slots: string): ArtifactError {
  return new ArtifactError(
    'no-symlinks',
    `the file system of ${slots} has no symbolic links, as FAT has none: give a --state-dir on another, such as ext4`,
    { slots },
  )
}
