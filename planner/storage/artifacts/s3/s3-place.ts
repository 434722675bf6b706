import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { type Digest, digestOf } from '../../../../shared/digest.ts'
import { StorageError } from '../../errors.ts'
import { writeDraft } from '../drafts.ts'
import { type ArtifactPlace, type Held, keyOf } from '../place.ts'
import type { ArtifactBucket } from './bucket.ts'
import type { CacheFolder } from './cache-folder.ts'

/** Of an object whose bytes are not those of its name. */
const MOST_LOOKS = 3

/** Nobody's artifact, always the same: what shows that objects can be written and read. */
const PROOF = Buffer.from('fitment keeps artifacts here\n')

/** Objects in a bucket; what is read comes from copies here, each held against its digest when it was fetched. */
export function s3Place(bucket: ArtifactBucket, cache: CacheFolder): ArtifactPlace {
  const underWay = new Map<Digest, Promise<boolean>>()

  /** False when there is none. Whoever asks for the same meanwhile waits for the same. */
  function fetched(digest: Digest): Promise<boolean> {
    const known = underWay.get(digest)
    if (known !== undefined) return known
    const begun = fetch(bucket, cache, digest).finally(() => underWay.delete(digest))
    underWay.set(digest, begun)
    return begun
  }

  async function hold(digest: Digest): Promise<Held | undefined> {
    for (;;) {
      const held = cache.hold(digest)
      if (held) return held
      if (!(await fetched(digest))) return undefined
    }
  }

  return {
    name: bucket.name,
    isHere: false,
    drafts: cache.root,
    hold,
    holdHere: async (digest) => cache.hold(digest),
    has: (digest) => bucket.has(keyOf(digest)),
    async keep(draft, digest) {
      await bucket.put(keyOf(digest), draft, digest)
      await cache.take(draft, digest)
    },
    async remove(digest) {
      await cache.drop(digest)
      await bucket.remove(keyOf(digest))
    },
  }
}

/** Whether what is written there can be read again. @throws StorageError why not */
export async function proveBucket(bucket: ArtifactBucket, cache: CacheFolder): Promise<void> {
  const digest = digestOf(PROOF)
  const draft = await writeDraft(cache.root, Readable.from([PROOF]))
  try {
    await bucket.put(keyOf(digest), draft, digest)
  } finally {
    await rm(draft, { force: true })
  }
  if (!(await fetch(bucket, cache, digest))) throw lost(bucket, digest)
}

async function fetch(bucket: ArtifactBucket, cache: CacheFolder, digest: Digest): Promise<boolean> {
  for (let looks = 1; ; looks += 1) {
    const got = await bucket.get(keyOf(digest), (body) => verified(cache, body, digest))
    if (got === undefined) return false
    if (got.draft !== undefined) {
      await cache.take(got.draft, digest)
      return true
    }
    if (looks >= MOST_LOOKS) throw wrong(bucket, digest)
  }
}

/** A draft of the right bytes; of others nothing is left. */
async function verified(
  { root }: CacheFolder,
  body: AsyncIterable<Uint8Array>,
  digest: Digest,
): Promise<{ readonly draft: string | undefined }> {
  const hash = createHash('sha256')
  async function* hashed() {
    for await (const chunk of body) {
      hash.update(chunk)
      yield chunk
    }
  }
  const draft = await writeDraft(root, hashed()).catch((error) => {
    // Nothing, or more than an artifact ever has.
    if (error instanceof StorageError && error.code === 'unusable') return undefined
    throw error
  })
  if (draft === undefined || hash.digest('hex') === digest) return { draft }
  await rm(draft, { force: true })
  return { draft: undefined }
}

function wrong({ name }: ArtifactBucket, digest: Digest): StorageError {
  return new StorageError(
    'wrong-bytes',
    `${name}/${keyOf(digest)} holds other bytes than its name says: none of them were used; bring the object back, or register the model again`,
    { digest },
  )
}

function lost({ name }: ArtifactBucket, digest: Digest): StorageError {
  return new StorageError(
    'store-refused',
    `${name} does not give back what was just written there: ${keyOf(digest)} is missing`,
  )
}
