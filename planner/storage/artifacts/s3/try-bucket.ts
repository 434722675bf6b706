import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { digestOf } from '../../../../shared/digest.ts'
import { StorageError } from '../../errors.ts'
import { keyOf } from '../place.ts'
import { ArtifactBucket } from './bucket.ts'
import { parseBucketLocation } from './location.ts'
import { type Patience, USUAL_PATIENCE } from './patience.ts'

/** Somebody waits for the answer, and the last word is always asked for. */
const BRIEF: Patience = {
  ...USUAL_PATIENCE,
  ...{ tries: 2, baseMs: 500, capMs: 2_000, windowMs: 5_000, restMs: 0 },
}

/**
 * Writes an object that nobody else has, reads it again and removes it, whatever came of the reading.
 * @throws AppError what is wrong, what to do, and at which of the three
 */
export async function tryBucket(artifacts: string, patience: Patience = BRIEF): Promise<void> {
  const bucket = new ArtifactBucket(parseBucketLocation(artifacts), patience)
  const bytes = randomBytes(32)
  const key = keyOf(digestOf(bytes))
  const trouble =
    (await troubleIn(write(bucket, key, bytes), 'that was writing')) ??
    (await troubleIn(readAgain(bucket, key, bytes), 'that was reading'))
  const left = await troubleIn(bucket.remove(key), `${key} stays there`)
  if (trouble ?? left) throw trouble ?? left
}

async function write(bucket: ArtifactBucket, key: string, bytes: Buffer): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'fitment-bucket-'))
  try {
    const file = join(folder, 'object')
    await writeFile(file, bytes)
    await bucket.put(key, file, digestOf(bytes))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function readAgain(bucket: ArtifactBucket, key: string, bytes: Buffer): Promise<void> {
  const got = await bucket.get(key, async (body) => {
    const chunks: Uint8Array[] = []
    let length = 0
    for await (const chunk of body) {
      chunks.push(chunk)
      length += chunk.length
      if (length > bytes.length) break
    }
    return Buffer.concat(chunks)
  })
  if (got?.equals(bytes)) return
  const what = got === undefined ? 'does not have' : 'has other bytes for'
  throw new StorageError(
    'store-refused',
    `${bucket.name} ${what} what was just written there: is something between that keeps copies?`,
  )
}

async function troubleIn(step: Promise<void>, name: string): Promise<StorageError | undefined> {
  try {
    await step
    return undefined
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    const { code, message, details } = error
    const advice = code === 'unreachable' ? adviceOn(details.status) : ''
    return new StorageError(code, `${message}${advice}; ${name}`, details, { cause: error })
  }
}

/** An outage is another's to mend where anything answers. */
function adviceOn(status: unknown): string {
  if (status !== undefined) return ': ask again later, or look at that server'
  const given = process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL
  const where = given === undefined ? 'AWS_ENDPOINT_URL_S3, which is not set,' : given
  return `: is ${where} right, does that server run, does a firewall stand between?`
}
