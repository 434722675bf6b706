import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  type ArtifactStore,
  createArtifactStore,
} from '../../../planner/storage/artifacts/artifact-store.ts'
import { openArtifacts } from '../../../planner/storage/artifacts/open-artifacts.ts'
import { ArtifactBucket } from '../../../planner/storage/artifacts/s3/bucket.ts'
import { CacheFolder } from '../../../planner/storage/artifacts/s3/cache-folder.ts'
import { parseBucketLocation } from '../../../planner/storage/artifacts/s3/location.ts'
import { type Patience, USUAL_PATIENCE } from '../../../planner/storage/artifacts/s3/patience.ts'
import { s3Place } from '../../../planner/storage/artifacts/s3/s3-place.ts'
import { openDatabase } from '../../../planner/storage/open.ts'
import { refuse, settings, startHostileS3 } from './hostile-s3.ts'

const PLACE = 's3://models/plant-7'
/** As usual, in less time. */
const PATIENCE: Patience = {
  ...USUAL_PATIENCE,
  ...{ baseMs: 1, capMs: 5, windowMs: 150, restMs: 50 },
}
const MUCH = 2 ** 30

interface Options {
  readonly patience?: Patience
  readonly most?: number
}

let folders = 0

async function storeOn(t: Test, { patience = PATIENCE, most = MUCH }: Options = {}) {
  folders += 1
  const data = t.testdir({})
  const { db, close } = await openDatabase({ data })
  t.teardown(close)
  const cache = await CacheFolder.open(join(data, `cache-${folders}`), most)
  const bucket = new ArtifactBucket(parseBucketLocation(PLACE), patience)
  const store = createArtifactStore(data, db, () => new Date(), s3Place(bucket, cache))
  /** Of a planner that has nothing here yet. */
  const another = async () => {
    folders += 1
    const empty = await CacheFolder.open(join(data, `cache-${folders}`), most)
    return createArtifactStore(data, db, () => new Date(), s3Place(bucket, empty))
  }
  return { data, db, cache, store, another }
}

t.test('503 and broken connections are tried again, with the whole body', async (t) => {
  const s3 = await startHostileS3(t)
  const { store, another } = await storeOn(t)
  const bytes = randomBytes(300_000)
  const failures = new Map<string, number>()
  s3.misbehave = ({ method, path }) => {
    const before = failures.get(method + path) ?? 0
    failures.set(method + path, before + 1)
    if (before === 0) return refuse(503, 'SlowDown')
    if (before === 1) return (response) => void response.destroy()
    if (before === 2) {
      // Half of what it says it has.
      return (response, request) => {
        request.resume()
        response.writeHead(200, { 'content-length': bytes.length })
        response.write(bytes.subarray(0, 1000), () => response.destroy())
      }
    }
    return undefined
  }
  const ref = await store.put(bytes)
  t.same(await (await another()).read(ref.digest), bytes)
  t.ok(s3.objects.has(`models/plant-7/${ref.digest.slice(0, 2)}/${ref.digest}`))
})

t.test('one that stays away is one line, at once while it is left alone, and no row', async (t) => {
  const s3 = await startHostileS3(t)
  const { db, data, store } = await storeOn(t, { patience: { ...PATIENCE, restMs: 60_000 } })
  s3.misbehave = () => refuse(503, 'SlowDown')
  const away = {
    code: 'unreachable',
    message: /^s3:\/\/models\/plant-7 cannot be used now: it answers 503 SlowDown$/,
  }
  await t.rejects(store.put(Buffer.from('abc')), away)
  t.equal(s3.asked.length, PATIENCE.tries)
  await t.rejects(store.put(Buffer.from('abc')), away)
  t.equal(s3.asked.length, PATIENCE.tries, 'it was not asked again')
  t.same(await db.selectFrom('artifacts').selectAll().execute(), [])
  const left = await readdir(data, { recursive: true, withFileTypes: true })
  t.same(
    left.filter((one) => one.isFile() && one.parentPath.includes('cache')),
    [],
    'no draft stays',
  )
})

t.test('when it is back, it is used again', async (t) => {
  const s3 = await startHostileS3(t)
  const { store } = await storeOn(t, { patience: { ...PATIENCE, restMs: 0 } })
  s3.misbehave = () => refuse(500, 'InternalError')
  await t.rejects(store.put(Buffer.from('abc')), { code: 'unreachable' })
  s3.misbehave = () => undefined
  const ref = await store.put(Buffer.from('abc'))
  t.equal((await store.read(ref.digest)).toString(), 'abc')
})

t.test('silence and a trickle end', async (t) => {
  const s3 = await startHostileS3(t)
  const { store, another } = await storeOn(t, { patience: { ...PATIENCE, tries: 2, restMs: 0 } })
  const { digest } = await store.put(randomBytes(500_000))
  const slow = { code: 'unreachable', message: /plant-7 cannot be used now: it was too slow/ }
  s3.misbehave = () => (_, request) => void request.resume()
  await t.rejects((await another()).read(digest), slow, 'no answer')
  await t.rejects(store.put(randomBytes(500_000)), slow, 'no answer to what was sent')
  s3.misbehave = () => (response) => {
    response.writeHead(200, { 'content-length': 500_000 })
    const drops = setInterval(() => response.write('.'), 20)
    response.on('close', () => clearInterval(drops))
  }
  await t.rejects((await another()).read(digest), slow, 'a byte now and then')
})

t.test('wrong bytes are never used, and looked at again before that is said', async (t) => {
  const s3 = await startHostileS3(t)
  const { store, another } = await storeOn(t)
  const { digest } = await store.put(Buffer.from('the model'))
  const [key] = [...s3.objects.keys()].filter((path) => path.endsWith(digest))
  const wrong = { code: 'wrong-bytes', message: /plant-7\/.*holds other bytes than its name says/ }
  for (const bytes of ['another model', 'the modem', '']) {
    s3.objects.set(key ?? '', Buffer.from(bytes))
    const fresh = await another()
    await t.rejects(fresh.read(digest), wrong, `"${bytes}"`)
    await t.rejects(fresh.open(digest), wrong)
    await t.rejects(
      fresh.withFiles([digest], async () => t.fail('used')),
      wrong,
    )
  }
  let looks = 0
  s3.misbehave = ({ method }) => {
    looks += 1
    return method === 'GET' && looks === 1
      ? (response) => void response.end('spoilt on the way')
      : undefined
  }
  s3.objects.set(key ?? '', Buffer.from('the model'))
  t.equal((await (await another()).read(digest)).toString(), 'the model')
})

t.test('bytes that arrive otherwise than they were sent are refused by S3 itself', async (t) => {
  const s3 = await startHostileS3(t)
  const { store } = await storeOn(t)
  const { digest } = await store.put(Buffer.from('signed'))
  t.ok(s3.objects.size > 0, 'the server holds what it got against the digest that is signed')
  t.ok(await store.has(digest))
})

const REFUSALS: readonly (readonly [status: number, word: string, said: RegExp])[] = [
  [404, 'NoSuchBucket', /s3:\/\/models\/plant-7 is no bucket: make it, or correct --artifacts/],
  [403, 'AccessDenied', /forbids it: these credentials need s3:GetObject, s3:PutObject/],
  [403, 'InvalidAccessKeyId', /does not know these credentials/],
  [403, 'SignatureDoesNotMatch', /does not know these credentials/],
  [403, 'ExpiredToken', /expired: get new ones/],
  [403, 'RequestTimeTooSkewed', /clock too far off/],
  [301, 'PermanentRedirect', /another region: set AWS_REGION/],
  [400, 'InvalidRequest', /refused it: 400 InvalidRequest/],
]

t.test('what no second try mends is said at once, in one line', async (t) => {
  const s3 = await startHostileS3(t)
  const { db, data } = await storeOn(t)
  const location = { data, shared: data, artifacts: PLACE, cacheBytes: MUCH }
  for (const [status, word, message] of REFUSALS) {
    s3.asked.length = 0
    s3.misbehave = () => refuse(status, word)
    const opened = openArtifacts(location, db, () => new Date())
    await t.rejects(opened, { code: 'store-refused', message }, word)
    t.equal(s3.asked.length, 1, `${word} is asked once`)
  }
  s3.misbehave = () => (response, request) => {
    request.resume()
    response.writeHead(403, { 'content-type': 'text/html' })
    response.end('<html>a proxy says no')
  }
  const opened = openArtifacts(location, db, () => new Date())
  await t.rejects(
    opened,
    { code: 'store-refused', message: /forbids it/ },
    'an answer in no words of S3',
  )
  s3.misbehave = ({ method }) => (method === 'GET' ? refuse(404, 'SomethingElse') : undefined)
  const elsewhere = openArtifacts(location, db, () => new Date())
  await t.rejects(elsewhere, /refused it: 404 SomethingElse/, 'not every 404 is about the object')
  settings(t, { AWS_ENDPOINT_URL_S3: 'http://s3.example' })
  await t.rejects(
    openArtifacts(location, db, () => new Date()),
    /has no TLS, and leaves this machine/,
  )
})

t.test(
  'a bucket that keeps nothing, or without what this database knows, is refused',
  async (t) => {
    const s3 = await startHostileS3(t)
    const { db, data } = await storeOn(t)
    const location = { data, shared: data, artifacts: PLACE, cacheBytes: MUCH }
    s3.misbehave = ({ method }) =>
      method === 'PUT'
        ? (response, request) => void request.resume().on('end', () => response.end())
        : undefined
    await t.rejects(
      openArtifacts(location, db, () => new Date()),
      /does not give back what was just written/,
    )
    s3.misbehave = () => undefined
    const files = createArtifactStore(data, db, () => new Date())
    const { digest } = await files.put(Buffer.from('in the folder'))
    await t.rejects(
      openArtifacts(location, db, () => new Date()),
      {
        code: 'other-artifacts',
        message: /plant-7 has none of the artifacts that this database knows/,
      },
    )
    // As `aws s3 sync` does it: keys are the paths.
    s3.objects.set(`models/plant-7/${digest.slice(0, 2)}/${digest}`, Buffer.from('in the folder'))
    const store = await openArtifacts(location, db, () => new Date())
    t.equal((await store.read(digest)).toString(), 'in the folder')
  },
)

async function bytesOf(store: ArtifactStore, size: number): Promise<string> {
  return (await store.put(randomBytes(size))).digest
}

t.test(
  'copies are bounded, what is held stays, and what was used last stays longest',
  async (t) => {
    const s3 = await startHostileS3(t)
    const { store, cache } = await storeOn(t, { most: 10_000 })
    const isHere = async (digest: string) => {
      const held = cache.hold(digest)
      held?.release()
      return held !== undefined
    }
    const first = await bytesOf(store, 4_000)
    const second = await bytesOf(store, 4_000)
    await store.read(first)
    const third = await bytesOf(store, 4_000)
    t.same([await isHere(first), await isHere(second), await isHere(third)], [true, false, true])
    await store.withFiles([first, second, third], async (pathOf) => {
      await bytesOf(store, 9_000)
      const { size } = await import('node:fs').then(({ statSync }) => statSync(pathOf(second)))
      t.equal(size, 4_000, 'held, though there is no room for it')
    })
    t.ok(await store.has(second), 'what is not here is still there')
    const gets = () => s3.asked.filter(({ method }) => method === 'GET').length
    const before = gets()
    await Promise.all([store.read(second), store.read(second), store.read(second)])
    t.ok(gets() - before <= 1, 'fetched once for all who ask')
  },
)

t.test('what was removed is gone, and what cannot be asked is read from here', async (t) => {
  const s3 = await startHostileS3(t)
  const { store } = await storeOn(t)
  const kept = await bytesOf(store, 100)
  const gone = await bytesOf(store, 200)
  t.equal(await store.remove(gone), 200)
  t.equal(await store.open(gone), undefined)
  await t.rejects(store.read(gone), { code: 'unknown-artifact' })
  t.notOk([...s3.objects.keys()].some((path) => path.endsWith(gone)))
  s3.misbehave = () => refuse(503, 'SlowDown')
  t.equal((await store.read(kept)).length, 100, 'an outage of S3 ends nothing that is here')
  t.equal((await store.here.read(kept)).length, 100)
  await t.rejects(store.here.read('f'.repeat(64)), { code: 'unknown-artifact' }, 'nobody is asked')
})
