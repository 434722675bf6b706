import { mkdtemp, open, readdir, readFile, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { settle, syncFile } from '../../shared/durable/index.ts'
import { isMissing, isSystemFailure, reasonOf } from '../../shared/errors.ts'
import { VERSION } from '../../shared/version.ts'
import { artifactsElsewhere, copySqlite, databaseFile } from '../storage/index.ts'
import { BackupError } from './errors.ts'
import { FILES, type Manifest, PARTS } from './parts.ts'
import { seal } from './seal.ts'
import { type TarSource, writeTar } from './tar.ts'

export interface BackupRequest {
  readonly data: string
  /** Where it goes; the keys go to `<file>.keys`. */
  readonly file: string
  /** Seals the keys; undefined: they stay where they are. */
  readonly passphrase: string | undefined
  readonly now: Date
}

export interface BackupMade {
  readonly file: string
  readonly bytes: number
  /** Null where none was asked for. */
  readonly keys: string | null
  readonly artifacts: number
  /** `s3://…` where artifacts lie there, and not in it. */
  readonly elsewhere: string | null
}

/**
 * All of a planner's data as of one moment, while it runs. The database first, as of one commit: what it names is in the
 * artifacts already, which never change; trust may be newer than it, never older.
 * @throws BackupError, StorageError
 */
export async function backup(request: BackupRequest): Promise<BackupMade> {
  const { data, file, passphrase, now } = request
  const draft = await draftBeside(file)
  try {
    const database = databaseFile(data)
    const isEmbedded = await isThere(database)
    if (!isEmbedded && !(await isThere(join(data, 'trust')))) {
      throw new BackupError(
        'nothing-there',
        `there is no planner's data in ${data}: give its --data`,
      )
    }
    const copy = join(draft, 'fitment.db')
    if (isEmbedded) await copySqlite(database, copy)
    const elsewhere = await artifactsElsewhere(data)
    const artifacts = elsewhere === undefined ? await artifactFiles(data) : []
    const trust = await atRest(join(data, 'trust'))
    const manifest: Manifest = {
      v: 1,
      version: VERSION,
      madeAt: now.toISOString(),
      database: isEmbedded ? 'embedded' : 'elsewhere',
      ...(elsewhere !== undefined && { artifacts: elsewhere }),
      sums: FILES.sums,
    }
    const whole = join(draft, 'backup')
    const members = async function* (): Members {
      yield [FILES.manifest, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)] as const
      if (isEmbedded) yield [FILES.database, await sized(copy)] as const
      for (const [name, bytes] of trust)
        if (!isSecret(`trust/${name}`)) yield [`trust/${name}`, bytes]
      for (const name of PARTS.plain) {
        const bytes = await readIfThere(join(data, name))
        if (bytes) yield [name, bytes] as const
      }
      for (const name of artifacts) {
        yield [`artifacts/${name}`, await sized(join(data, 'artifacts', name))] as const
      }
    }
    await written(whole, members, FILES.sums)
    const keys = passphrase === undefined ? null : `${file}.keys`
    if (keys !== null) await settle(await sealedKeys(draft, request, trust), keys)
    const { size } = await stat(whole)
    await settle(whole, file)
    return { file, bytes: size, keys, artifacts: artifacts.length, elsewhere: elsewhere ?? null }
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

async function artifactFiles(data: string): Promise<string[]> {
  const all = await filesBelow(join(data, 'artifacts'))
  return all.filter((name) => !name.startsWith('incoming/'))
}

/** On the disk where it goes, so that it gets its name at once. */
async function draftBeside(file: string): Promise<string> {
  try {
    return await mkdtemp(join(dirname(file), `.${basename(file)}-`))
  } catch (cause) {
    if (!isSystemFailure(cause)) throw cause
    throw new BackupError(
      'cannot-write',
      `cannot write into the folder ${dirname(file)}: ${reasonOf(cause)}`,
      { cause },
    )
  }
}

async function sealedKeys(
  draft: string,
  { data, passphrase = '' }: BackupRequest,
  trust: ReadonlyMap<string, Buffer>,
): Promise<string> {
  const plain = join(draft, 'plain')
  const secrets: [string, Buffer][] = [...trust]
    .map(([name, bytes]): [string, Buffer] => [`trust/${name}`, bytes])
    .filter(([name]) => isSecret(name))
  for (const name of PARTS.secret) {
    const bytes = await readIfThere(join(data, name))
    if (bytes) secrets.push([name, bytes])
  }
  await written(plain, async function* () {
    yield* secrets
  })
  const path = join(draft, 'keys')
  const out = await open(path, 'wx', 0o600)
  await out.writeFile(seal(await readFile(plain), passphrase))
  await out.sync()
  await out.close()
  await rm(plain)
  return path
}

function isSecret(name: string): boolean {
  return /^trust\/keys\/.+\.key$/.test(name)
}

type Members = AsyncGenerator<readonly [string, TarSource]>

async function written(path: string, members: () => Members, sums?: string): Promise<void> {
  const out = await open(path, 'wx', 0o600)
  try {
    await writeTar(out, members(), sums)
  } finally {
    await out.close()
  }
  await syncFile(path)
}

async function sized(file: string): Promise<TarSource> {
  return { file, bytes: (await stat(file)).size }
}

const MOST_LOOKS = 20

/** Small files that belong together, as they lay there when none of them changed. @throws BackupError */
async function atRest(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  for (let look = 0; look < MOST_LOOKS; look += 1) {
    const before = await marksOf(folder)
    const files = new Map<string, Buffer>()
    for (const name of Object.keys(before)) {
      const bytes = await readIfThere(join(folder, name))
      if (bytes) files.set(name, bytes)
    }
    if (JSON.stringify(before) === JSON.stringify(await marksOf(folder))) return files
  }
  throw new BackupError('changed', `${folder} changes all the time: try again`)
}

async function marksOf(folder: string): Promise<Record<string, string>> {
  const marks: Record<string, string> = {}
  for (const name of await filesBelow(folder)) {
    const stats = await stat(join(folder, name)).catch(() => undefined)
    if (stats) marks[name] = `${stats.ino} ${stats.size} ${stats.mtimeMs}`
  }
  return marks
}

async function filesBelow(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true, recursive: true })
    return entries
      .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
      .sort()
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  )
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}
