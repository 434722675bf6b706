import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { backup } from '../../../planner/backup/index.ts'
import {
  ARTIFACTS_CACHE_BYTES,
  openArtifacts,
  openDatabase,
} from '../../../planner/storage/index.ts'
import { BLOCK_BYTES } from '../../../shared/artifact.ts'
import { settings } from './hostile-s3.ts'
import { s3Server, withoutS3 } from './s3-server.ts'

const skip = withoutS3()
const PLACE = 's3://models/plant-7'
const now = () => new Date()
t.setTimeout(300_000)

async function ground(t: Test) {
  const server = await s3Server(t, ['models'])
  settings(t, server.environment)
  await server.start()
  const dir = t.testdir({})
  const data = join(dir, 'one')
  const { db, close } = await openDatabase({ data })
  t.teardown(close)
  /** A planner of this database, with a folder of its own. */
  const planner = (name: string, artifacts = PLACE) =>
    openArtifacts(
      {
        ...{ data: join(dir, name), shared: join(dir, name), artifacts },
        cacheBytes: ARTIFACTS_CACHE_BYTES,
      },
      db,
      now,
    )
  return { server, dir, data, db, planner }
}

t.test('several planners share artifacts in a real S3', { skip }, async (t) => {
  const { server, data, planner } = await ground(t)
  const one = await planner('one')
  const bytes = randomBytes(2 * BLOCK_BYTES + 17)
  const ref = await one.put(bytes)
  t.same(await one.put(bytes), ref, 'the same bytes twice are one artifact')
  const path = join(server.folderOf('models'), 'plant-7', ref.digest.slice(0, 2), ref.digest)
  t.same(readFileSync(path), bytes, 'under the name that files have too')
  t.notOk(existsSync(join(data, 'artifacts')))

  const two = await planner('two')
  t.same(await two.read(ref.digest), bytes)
  t.equal((await two.read(ref.blockList)).length, 3 * 32)
  const file = await two.open(ref.digest)
  t.equal((await file?.stat())?.size, bytes.length)
  await file?.close()
  t.equal(await two.remove(ref.digest), bytes.length)
  t.notOk(existsSync(path))
  t.equal(await (await planner('three')).open(ref.digest), undefined)
})

t.test('a large file passes without being held in memory', { skip }, async (t) => {
  const { planner } = await ground(t)
  const one = await planner('one')
  const chunk = randomBytes(2 ** 20)
  async function* large() {
    for (let at = 0; at < 200; at += 1) yield chunk
  }
  const ref = await one.putStream(large())
  t.equal(ref.bytes, 200 * chunk.length)
  await (await planner('two')).withFiles([ref.digest], async (pathOf) => {
    t.ok(existsSync(pathOf(ref.digest)))
  })
})

t.test('what is wrong is one line: bucket, credentials, bytes, an outage', { skip }, async (t) => {
  const { server, planner } = await ground(t)
  const one = await planner('one')
  const { digest } = await one.put(Buffer.from('the model'))
  await t.rejects(planner('two', 's3://nowhere'), {
    code: 'store-refused',
    message: /^s3:\/\/nowhere is no bucket: make it, or correct --artifacts/,
  })
  const refused = {
    code: 'store-refused',
    message: /does not know these credentials|No user exists/,
  }
  await t.test('a wrong secret', async (t) => {
    settings(t, { AWS_SECRET_ACCESS_KEY: 'guessed' })
    await t.rejects(planner('two'), refused)
  })
  await t.test('an unknown user', async (t) => {
    settings(t, { AWS_ACCESS_KEY_ID: 'nobody' })
    await t.rejects(planner('two'), refused)
  })
  const two = await planner('two')
  const path = join(server.folderOf('models'), 'plant-7', digest.slice(0, 2), digest)
  writeFileSync(path, 'the modem')
  await t.rejects(two.read(digest), { code: 'wrong-bytes', message: new RegExp(`${digest} holds`) })
  t.same((await one.put(Buffer.from('the model'))).digest, digest, 'registering it again mends it')
  t.equal((await two.read(digest)).toString(), 'the model')

  const other = await one.put(Buffer.from('another'))
  await server.stop()
  await t.rejects(two.read(other.digest), {
    code: 'unreachable',
    message: /plant-7 cannot be used now: nobody listens there/,
  })
  t.equal((await two.read(digest)).toString(), 'the model', 'what is here is read')
  await server.start()
  const three = await planner('three')
  t.equal((await three.read(other.digest)).toString(), 'another', 'nothing was lost')
})

t.test('another place is refused, and a backup says where artifacts are', { skip }, async (t) => {
  const { dir, data, db, planner } = await ground(t)
  const one = await planner('one')
  await one.put(Buffer.from('the model'))
  const folder = { data, shared: data, artifacts: undefined, cacheBytes: 1 }
  await t.rejects(
    openArtifacts(folder, db, now),
    { code: 'other-artifacts', message: /give --artifacts or --shared as the planners have them/ },
    'a planner that forgot --artifacts',
  )
  const file = join(dir, 'backup.tar')
  const made = await backup({ data, file, passphrase: undefined, now: now() })
  t.match(made, { artifacts: 0, elsewhere: PLACE })
  t.match(readFileSync(file, 'utf8'), new RegExp(`"artifacts": "${PLACE}"`))
})
