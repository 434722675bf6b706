import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readIfPresent, writeDurably } from '../../../shared/durable/index.ts'
import { StorageError } from '../errors.ts'
import type { Db } from '../tables.ts'
import { type ArtifactStore, artifactSamples, createArtifactStore } from './artifact-store.ts'
import { parseBucketLocation } from './s3/location.ts'

export interface ArtifactsLocation {
  /** This process's own folder. */
  readonly data: string
  /** The folder that several planners have, or the same. */
  readonly shared: string
  /** `s3://bucket/prefix`; absent: files in the shared folder. */
  readonly artifacts: string | undefined
  /** Most that copies here of what lies in S3 may take. */
  readonly cacheBytes: number
}

/** What copies of artifacts take where nobody says otherwise. */
export const ARTIFACTS_CACHE_BYTES = 4 * 2 ** 30

/** So many are looked for, of those that must be there. */
const SAMPLES = 4

/** Left in the data folder for a backup, which finds no files there then. */
const ELSEWHERE = 'artifacts-elsewhere'

/**
 * Where the artifacts of this database lie.
 * @throws StorageError when the place cannot be used, or is another than the database knows
 */
export async function openArtifacts(
  location: ArtifactsLocation,
  db: Db,
  now: () => Date,
): Promise<ArtifactStore> {
  const { shared, artifacts } = location
  const store =
    artifacts === undefined
      ? createArtifactStore(shared, db, now)
      : createArtifactStore(shared, db, now, await bucketAt(location, artifacts))
  await requireKnown(db, store)
  const note = join(shared, ELSEWHERE)
  if (artifacts === undefined) await rm(note, { force: true })
  else await writeDurably(note, `${store.place}\n`)
  return store
}

/** `s3://…` where artifacts are not in this data folder. */
export async function artifactsElsewhere(data: string): Promise<string | undefined> {
  return (await readIfPresent(join(data, ELSEWHERE)))?.toString().trim()
}

/** Whether this bucket can be written, read and cleaned up after. @throws AppError why not, and what to do */
export async function lookIntoBucket(artifacts: string): Promise<void> {
  const { tryBucket } = await import('./s3/try-bucket.ts')
  await tryBucket(artifacts)
}

/** The client is loaded by those alone who need it. */
async function bucketAt({ data, cacheBytes }: ArtifactsLocation, artifacts: string) {
  const { ArtifactBucket } = await import('./s3/bucket.ts')
  const { CacheFolder } = await import('./s3/cache-folder.ts')
  const { proveBucket, s3Place } = await import('./s3/s3-place.ts')
  const bucket = new ArtifactBucket(parseBucketLocation(artifacts))
  const cache = await CacheFolder.open(join(data, 'artifacts-cache'), cacheBytes)
  await proveBucket(bucket, cache)
  return s3Place(bucket, cache)
}

/** Another place would fail every build and every download, one by one. */
async function requireKnown(db: Db, store: ArtifactStore): Promise<void> {
  const known = await artifactSamples(db, SAMPLES)
  if (known.length === 0) return
  for (const digest of known) if (await store.has(digest)) return
  throw new StorageError(
    'other-artifacts',
    `${store.place} has none of the artifacts that this database knows: give --artifacts or --shared as the planners have them, or copy the files there first`,
  )
}
