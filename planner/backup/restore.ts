import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { type Digest, digestOf } from '../../shared/digest.ts'
import { syncFolder, writeDurably } from '../../shared/durable/index.ts'
import { errnoOf, isMissing, reasonOf } from '../../shared/errors.ts'
import { parseJson } from '../../shared/json.ts'
import { lookIntoSqlite } from '../storage/index.ts'
import { BackupError } from './errors.ts'
import { FILES, type Manifest, manifestSchema, type Restored } from './parts.ts'
import { unseal } from './seal.ts'
import { extract, listTar, parseSums, readAt } from './tar.ts'

export interface RestoreRequest {
  readonly file: string
  /** Must not be there, or be empty. */
  readonly data: string
  readonly passphrase: string
  readonly now: Date
}

/**
 * A data directory from a backup and its file of keys: looked at as a whole before it gets its name.
 * @throws BackupError, StorageError; then nothing is there
 */
export async function restore({ file, data, passphrase, now }: RestoreRequest): Promise<Manifest> {
  await requireEmpty(data)
  const target = resolve(data)
  const draft = join(dirname(target), `.${basename(target)}.restoring`)
  await rm(draft, { recursive: true, force: true })
  await mkdir(draft, { recursive: true, mode: 0o700 })
  try {
    const manifest = await unpack(file, draft)
    const keys = join(draft, 'keys.tar')
    await writeDurably(keys, unseal(await readKeys(`${file}.keys`), passphrase), { mode: 0o600 })
    await opened(keys, async (tar) => {
      for await (const member of listTar(tar)) await extract(tar, member, draft)
    })
    await rm(keys)
    if (manifest.database === 'embedded') await lookIntoSqlite(join(draft, FILES.database))
    const note: Restored = { v: 1, madeAt: manifest.madeAt, restoredAt: now.toISOString() }
    await writeDurably(join(draft, FILES.restored), `${JSON.stringify(note)}\n`)
    await rm(target, { recursive: true, force: true })
    await rename(draft, target)
    await syncFolder(dirname(target))
    return manifest
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    throw error
  }
}

async function unpack(file: string, draft: string): Promise<Manifest> {
  return await opened(file, async (tar) => {
    let manifest: Manifest | undefined
    let sums: ReadonlyMap<string, Digest> | undefined
    const digests = new Map<string, Digest>()
    for await (const member of listTar(tar)) {
      const { name, at, bytes } = member
      if (name === FILES.sums) sums = parseSums((await readAt(tar, at, bytes)).toString())
      else if (name === FILES.manifest) {
        const text = await readAt(tar, at, bytes)
        manifest = readManifest(text)
        digests.set(name, digestOf(text))
      } else {
        digests.set(name, await extract(tar, member, draft))
      }
    }
    if (!manifest) throw new BackupError('damaged', `${file} is no backup of Fitment`)
    requireWhole(digests, manifest.sums === undefined ? sums : (sums ?? new Map()))
    return manifest
  })
}

/** Artifacts are called by their digests. @param sums of all when it was made; undefined: a backup of before, that has none */
function requireWhole(
  digests: ReadonlyMap<string, Digest>,
  sums: ReadonlyMap<string, Digest> | undefined,
): void {
  const isWhole = (name: string, digest: Digest) =>
    name.startsWith('artifacts/')
      ? digest === basename(name)
      : sums === undefined || digest === sums.get(name)
  const spoiled = [...digests].flatMap(([name, digest]) => (isWhole(name, digest) ? [] : name))
  const lost = [...(sums?.keys() ?? [])].filter((name) => !digests.has(name))
  const [name] = [...spoiled, ...lost]
  if (name === undefined) return
  throw new BackupError('damaged', `${name} in it is damaged: take another backup`)
}

function readManifest(bytes: Buffer): Manifest {
  try {
    return parseJson(manifestSchema, bytes.toString())
  } catch (cause) {
    throw new BackupError('damaged', 'it is a backup of a later version of Fitment: use that one', {
      cause,
    })
  }
}

async function readKeys(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (cause) {
    if (!isMissing(cause)) throw cause
    throw new BackupError(
      'nothing-there',
      `${path} is not there: the keys belong beside the backup, without them no device would believe the planner`,
      { cause },
    )
  }
}

async function opened<T>(path: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
  let file: FileHandle
  try {
    file = await open(path)
  } catch (cause) {
    throw new BackupError('nothing-there', `cannot read ${path}: ${reasonOf(cause)}`, { cause })
  }
  if (!(await file.stat()).isFile()) {
    await file.close()
    throw new BackupError('nothing-there', `${path} is no file: name one that fitment backup wrote`)
  }
  try {
    return await work(file)
  } finally {
    await file.close()
  }
}

async function requireEmpty(data: string): Promise<void> {
  try {
    const names = await readdir(data)
    if (names.length === 0) return
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return
    throw new BackupError('not-empty', `${data} is no folder: name another`, { cause: error })
  }
  throw new BackupError('not-empty', `${data} is not empty: move it away, or restore into another`)
}
