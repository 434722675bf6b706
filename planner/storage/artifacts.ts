import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, rm, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import type { Digest } from '../../shared/digest.ts'
import { makeFolder, settle } from '../../shared/durable/index.ts'
import { isDiskFull } from '../../shared/errors.ts'
import { newId } from '../../shared/ids.ts'
import { type ArtifactRef, blockListOf, MAX_ARTIFACT_BYTES } from '../../shared/messages/index.ts'
import { formatBytes } from '../../shared/units.ts'
import { StorageError } from './errors.ts'
import type { Db } from './tables.ts'

/** Folder of what is being written. */
const INCOMING = 'incoming'

/** Bytes by the name of their content, under `<data>/artifacts/ab/<digest>`; a file there is whole and never changes. */
export interface ArtifactStore {
  /** The folder whose disk holds them. */
  readonly root: string
  /** Durable when it resolves, block list included. @throws StorageError `full`, `unusable` when empty */
  put(bytes: Uint8Array): Promise<ArtifactRef>
  /** Memory does not grow with the file. @throws StorageError `full`, `unusable` when empty or too long */
  putStream(stream: AsyncIterable<Uint8Array>): Promise<ArtifactRef>
  putFile(path: string): Promise<ArtifactRef>
  /** Undefined when there is no such artifact. */
  fileOf(digest: Digest): Promise<string | undefined>
  /** @throws StorageError `unknown-artifact` */
  pathOf(digest: Digest): Promise<string>
  /** @throws StorageError `unknown-artifact` */
  refOf(digest: Digest): Promise<ArtifactRef>
  /** The file and its block list; answers how many bytes that freed. What nothing stands on any more: call after the rows are gone. */
  remove(digest: Digest): Promise<number>
  /** What a killed planner left half written. Call before anything is written. */
  forgetDrafts(): Promise<void>
}

export function createArtifactStore(data: string, db: Db, now: () => Date): ArtifactStore {
  const root = join(data, 'artifacts')

  async function putStream(stream: AsyncIterable<Uint8Array>): Promise<ArtifactRef> {
    const draft = await writeDraft(root, stream)
    const { ref, blockList } = await blockListOf(draft)
    const list = await writeDraft(root, Readable.from([blockList]))
    await place(list, placeOf(root, ref.blockList))
    await place(draft, placeOf(root, ref.digest))
    await db
      .insertInto('artifacts')
      .values({
        digest: ref.digest,
        bytes: ref.bytes,
        block_list: ref.blockList,
        created_at: now().toISOString(),
      })
      .onConflict((conflict) => conflict.column('digest').doNothing())
      .execute()
    return ref
  }

  async function fileOf(digest: Digest): Promise<string | undefined> {
    const path = placeOf(root, digest)
    const found = await stat(path).catch(() => undefined)
    return found?.isFile() ? path : undefined
  }

  return {
    root: data,
    putStream,
    fileOf,
    put: (bytes) => putStream(Readable.from([bytes])),
    putFile: (path) => putStream(createReadStream(path)),
    forgetDrafts: () => rm(join(root, INCOMING), { recursive: true, force: true }),
    async remove(digest) {
      const row = await db
        .selectFrom('artifacts')
        .selectAll()
        .where('digest', '=', digest)
        .executeTakeFirst()
      if (!row) return 0
      await db.deleteFrom('artifacts').where('digest', '=', digest).execute()
      await rm(placeOf(root, digest), { force: true })
      const isShared = await db
        .selectFrom('artifacts')
        .select('digest')
        .where((q) =>
          q.or([q('block_list', '=', row.block_list), q('digest', '=', row.block_list)]),
        )
        .executeTakeFirst()
      if (row.block_list !== null && !isShared)
        await rm(placeOf(root, row.block_list), { force: true })
      return row.bytes
    },
    pathOf: async (digest) => (await fileOf(digest)) ?? missing(digest),
    async refOf(digest) {
      const row = await db
        .selectFrom('artifacts')
        .select(['bytes', 'block_list'])
        .where('digest', '=', digest)
        .executeTakeFirst()
      if (!row?.block_list) return missing(digest)
      return { digest, bytes: row.bytes, blockList: row.block_list }
    },
  }
}

/** Some artifact that must be there; undefined where there is none yet. */
export async function artifactSample(db: Db): Promise<Digest | undefined> {
  const row = await db.selectFrom('artifacts').select('digest').limit(1).executeTakeFirst()
  return row?.digest
}

/** Under a name of its own, on disk when it resolves; removed again when it cannot be finished. */
async function writeDraft(root: string, stream: AsyncIterable<Uint8Array>): Promise<string> {
  const incoming = join(root, INCOMING)
  await mkdir(incoming, { recursive: true })
  const draft = join(incoming, newId())
  const file = await open(draft, 'wx')
  try {
    const bytes = await fill(file, stream)
    if (bytes === 0) throw unusable('is empty')
    await file.sync()
    return draft
  } catch (error) {
    await unlink(draft).catch(() => {})
    throw isDiskFull(error) ? full(root, error) : error
  } finally {
    await file.close()
  }
}

async function fill(file: FileHandle, stream: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0
  for await (const chunk of stream) {
    bytes += chunk.length
    if (bytes > MAX_ARTIFACT_BYTES) {
      throw unusable(`is longer than ${formatBytes(MAX_ARTIFACT_BYTES)}`)
    }
    for (let at = 0; at < chunk.length; ) {
      const { bytesWritten } = await file.write(chunk, at)
      at += bytesWritten
    }
  }
  return bytes
}

async function place(draft: string, path: string): Promise<void> {
  await makeFolder(dirname(path))
  await settle(draft, path)
}

function placeOf(root: string, digest: Digest): string {
  return join(root, digest.slice(0, 2), digest)
}

function missing(digest: Digest): never {
  throw new StorageError(
    'unknown-artifact',
    `artifact ${digest.slice(0, 12)} is not in the store: register the model again`,
    { digest },
  )
}

function unusable(what: string): StorageError {
  return new StorageError('unusable', `the file ${what}: it cannot become an artifact`)
}

function full(root: string, cause: unknown): StorageError {
  const message = `no space left under ${root}: free some and try again`
  return new StorageError('full', message, { root }, { cause })
}
