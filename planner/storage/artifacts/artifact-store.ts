import { createReadStream } from 'node:fs'
import { type FileHandle, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Digest } from '../../../shared/digest.ts'
import { type ArtifactRef, blockListOf } from '../../../shared/messages/index.ts'
import { StorageError } from '../errors.ts'
import type { Db } from '../tables.ts'
import { INCOMING, writeDraft } from './drafts.ts'
import { filePlace } from './file-place.ts'
import type { ArtifactPlace, Held } from './place.ts'

export interface ArtifactReader {
  /** Of small ones. @throws StorageError `unknown-artifact` */
  read(digest: Digest): Promise<Buffer>
}

/** Bytes by the name of their content; what has a row is whole and never changes. */
export interface ArtifactStore extends ArtifactReader {
  /** The folder whose disk what is read here lies on. */
  readonly root: string
  /** Where they lie, for people. */
  readonly place: string
  /** Whether all of them lie on this machine. */
  readonly isHere: boolean
  /** What of them lies on this machine: for transactions, which no network may hold up. */
  readonly here: ArtifactReader
  /** Durable when it resolves, block list included. @throws StorageError `full`, `unusable` when empty */
  put(bytes: Uint8Array): Promise<ArtifactRef>
  /** Memory does not grow with the file. @throws StorageError `full`, `unusable` when empty or too long */
  putStream(stream: AsyncIterable<Uint8Array>): Promise<ArtifactRef>
  putFile(path: string): Promise<ArtifactRef>
  has(digest: Digest): Promise<boolean>
  /** Undefined when there is no such artifact. It can be read until it is closed, whatever becomes of its name. */
  open(digest: Digest): Promise<FileHandle | undefined>
  /** Files that stay where they are until the work is done. @throws StorageError `unknown-artifact` */
  withFiles<T>(
    digests: readonly (Digest | null | undefined)[],
    work: (pathOf: (digest: Digest) => string) => Promise<T>,
  ): Promise<T>
  /** Undefined when nobody put it. */
  findRef(digest: Digest): Promise<ArtifactRef | undefined>
  /** @throws StorageError `unknown-artifact` */
  refOf(digest: Digest): Promise<ArtifactRef>
  /** The file and its block list; answers how many bytes that freed. What nothing stands on any more: call after the rows are gone. */
  remove(digest: Digest): Promise<number>
  /** What a killed planner left half written. Call before anything is written. */
  forgetDrafts(): Promise<void>
}

export function createArtifactStore(
  data: string,
  db: Db,
  now: () => Date,
  place: ArtifactPlace = filePlace(join(data, 'artifacts')),
): ArtifactStore {
  async function putStream(stream: AsyncIterable<Uint8Array>): Promise<ArtifactRef> {
    const draft = await writeDraft(place.drafts, stream)
    try {
      const { ref, blockList } = await blockListOf(draft)
      const list = await writeDraft(place.drafts, Readable.from([blockList]))
      await place.keep(list, ref.blockList).finally(() => rm(list, { force: true }))
      await place.keep(draft, ref.digest)
      await recordRef(db, ref, now())
      return ref
    } finally {
      await rm(draft, { force: true })
    }
  }

  async function findRef(digest: Digest): Promise<ArtifactRef | undefined> {
    const row = await db
      .selectFrom('artifacts')
      .select(['bytes', 'block_list'])
      .where('digest', '=', digest)
      .executeTakeFirst()
    return row?.block_list ? { digest, bytes: row.bytes, blockList: row.block_list } : undefined
  }

  return {
    root: data,
    place: place.name,
    isHere: place.isHere,
    putStream,
    findRef,
    put: (bytes) => putStream(Readable.from([bytes])),
    putFile: (path) => putStream(createReadStream(path)),
    forgetDrafts: () => rm(join(place.drafts, INCOMING), { recursive: true, force: true }),
    has: (digest) => place.has(digest),
    read: (digest) => using(place.hold(digest), digest, (path) => readFile(path)),
    here: { read: (digest) => using(place.holdHere(digest), digest, (path) => readFile(path)) },
    async open(digest) {
      const held = await place.hold(digest)
      if (held === undefined) return undefined
      return await open(held.path, 'r').finally(held.release)
    },
    withFiles: (digests, work) => holding(place, [...new Set(digests)], work),
    remove: (digest) => remove(db, place, digest),
    refOf: async (digest) => (await findRef(digest)) ?? missing(digest),
  }
}

/** Some artifacts that must be there, the newest; none where there are none yet. */
export async function artifactSamples(db: Db, most: number): Promise<Digest[]> {
  const rows = await db
    .selectFrom('artifacts')
    .select('digest')
    .orderBy('created_at', 'desc')
    .limit(most)
    .execute()
  return rows.map(({ digest }) => digest)
}

async function recordRef(db: Db, { digest, bytes, blockList }: ArtifactRef, at: Date) {
  await db
    .insertInto('artifacts')
    .values({ digest, bytes, block_list: blockList, created_at: at.toISOString() })
    .onConflict((conflict) => conflict.column('digest').doNothing())
    .execute()
}

/** Rows first: who is killed between leaves what nobody names, never a name without bytes. */
async function remove(db: Db, place: ArtifactPlace, digest: Digest): Promise<number> {
  const row = await db
    .selectFrom('artifacts')
    .selectAll()
    .where('digest', '=', digest)
    .executeTakeFirst()
  if (!row) return 0
  await db.deleteFrom('artifacts').where('digest', '=', digest).execute()
  await place.remove(digest)
  const isShared = await db
    .selectFrom('artifacts')
    .select('digest')
    .where((q) => q.or([q('block_list', '=', row.block_list), q('digest', '=', row.block_list)]))
    .executeTakeFirst()
  if (row.block_list !== null && !isShared) await place.remove(row.block_list)
  return row.bytes
}

async function using<T>(
  holding: Promise<Held | undefined>,
  digest: Digest,
  work: (path: string) => Promise<T>,
): Promise<T> {
  const held = (await holding) ?? missing(digest)
  return await work(held.path).finally(held.release)
}

async function holding<T>(
  place: ArtifactPlace,
  digests: readonly (Digest | null | undefined)[],
  work: (pathOf: (digest: Digest) => string) => Promise<T>,
): Promise<T> {
  const held = new Map<Digest, Held>()
  try {
    for (const digest of digests)
      if (digest != null) held.set(digest, (await place.hold(digest)) ?? missing(digest))
    return await work((digest) => held.get(digest)?.path ?? missing(digest))
  } finally {
    for (const one of held.values()) one.release()
  }
}

function missing(digest: Digest): never {
  throw new StorageError(
    'unknown-artifact',
    `artifact ${digest.slice(0, 12)} is not in the store: register the model again`,
    { digest },
  )
}
