import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { examinationsOf } from '../../../../planner/cli/operations/examinations.ts'
import { type Diagnosis, examine } from '../../../../shared/diagnosis/index.ts'
import { type HostileS3, refuse, settings, startHostileS3 } from '../../storage/hostile-s3.ts'
import { s3Server, withoutS3 } from '../../storage/s3-server.ts'
import { fitment } from '../run-fitment.ts'

const PLACE = 's3://models/plant-7'
t.setTimeout(300_000)

/** What is said of the artifacts alone. */
async function told(t: Test, artifacts: string | undefined, data = t.testdir({})) {
  const looks = examinationsOf({ data, artifacts }).filter((one) => one.subject === 'artifacts')
  const [found, ...more] = await examine(looks)
  t.same(more, [], 'one line')
  return found
}

const bad = (says: RegExp) => ({ subject: 'artifacts', verdict: 'bad', says })

t.test('a bucket that can be used is left as it was', async (t) => {
  const s3 = await startHostileS3(t)
  s3.objects.set('models/plant-7/ab/abc', Buffer.from('a model'))
  const { code, out } = await fitment(
    ...['doctor', '--data', t.testdir({}), '--artifacts', `${PLACE}/`, '--json'],
  )
  const found = JSON.parse(out) as Diagnosis[]
  t.match(
    found.find(({ subject }) => subject === 'artifacts'),
    { verdict: 'good', says: 's3://models/plant-7 is written, read and cleaned up after' },
  )
  t.equal(code, 0, out)
  t.same(
    s3.asked.map(({ method }) => method),
    ['PUT', 'GET', 'DELETE'],
  )
  t.same([...s3.objects.keys()], ['models/plant-7/ab/abc'])
})

/** What is done in the place of an honest answer, to which requests. */
type Wrong = readonly [method: RegExp, answer: ReturnType<typeof refuse>, says: RegExp]

const NOTHING: ReturnType<typeof refuse> = (response, request) =>
  void request.resume().on('end', () => response.end())

const WRONGS: readonly Wrong[] = [
  [/./, refuse(404, 'NoSuchBucket'), /^s3:\/\/models\/plant-7 is no bucket: make it, or correct/],
  [/./, refuse(403, 'InvalidAccessKeyId'), /credentials: look at AWS_ACCESS_KEY_ID and/],
  [/./, refuse(403, 'SignatureDoesNotMatch'), /does not know these credentials/],
  [/./, refuse(301, 'PermanentRedirect'), /another region: set AWS_REGION/],
  [/./, refuse(503, 'SlowDown'), /it answers 503 SlowDown: ask again later.*that was writing$/],
  [/PUT/, refuse(403, 'AccessDenied'), /need s3:GetObject, s3:PutObject.*that was writing$/],
  [/GET/, refuse(403, 'AccessDenied'), /forbids it.*that was reading$/],
  [/GET/, refuse(500, 'InternalError'), /it answers 500 InternalError.*that was reading$/],
  [/GET/, (response) => void response.end('another'), /has other bytes for what was just written/],
  [/PUT/, NOTHING, /does not have what was just written there/],
  [/DELETE/, refuse(403, 'AccessDenied'), /need.*s3:DeleteObject.*[0-9a-f]{64} stays there$/],
]

t.test('what is wrong with a bucket is one line that says what to do', async (t) => {
  const s3: HostileS3 = await startHostileS3(t)
  for (const [methods, answer, says] of WRONGS) {
    s3.objects.clear()
    s3.misbehave = ({ method }) => (methods.test(method) ? answer : undefined)
    t.match(await told(t, PLACE), bad(says))
    if (methods.source !== 'DELETE') t.same([...s3.objects.keys()], [], 'nothing of it stays')
  }
  settings(t, { AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9' })
  t.match(await told(t, PLACE), bad(/nobody listens.*: is http:\/\/127.0.0.1:9 right, does/))
  settings(t, { AWS_ENDPOINT_URL_S3: 'http://s3.example' })
  t.match(await told(t, PLACE), bad(/has no TLS, and leaves this machine/))
})

t.test('artifacts elsewhere are named where nobody said where to look', async (t) => {
  t.equal(await told(t, undefined), undefined, 'files')
  const data = t.testdir({})
  writeFileSync(join(data, 'artifacts-elsewhere'), `${PLACE}\n`)
  t.match(await told(t, undefined, data), {
    verdict: 'warning',
    says: /run this with --artifacts s3:\/\/models\/plant-7, in the planner/,
  })
  t.match(await fitment('doctor', '--data', data, '--artifacts', 'models'), {
    code: 2,
    err: /"models" is no place for artifacts: write s3:\/\/bucket/,
  })
})

t.test('a real S3', { skip: withoutS3() }, async (t) => {
  const server = await s3Server(t, ['models'])
  settings(t, server.environment)
  t.match(await told(t, PLACE), bad(/cannot be used now: nobody listens there/))
  await server.start()
  t.match(await told(t, PLACE), { verdict: 'good' })
  const left = readdirSync(server.folderOf('models'), { recursive: true, withFileTypes: true })
  t.same(
    left.filter((one) => one.isFile()).map(({ name }) => name),
    [],
  )
  t.match(await told(t, 's3://nowhere'), bad(/^s3:\/\/nowhere is no bucket/))
  settings(t, { AWS_SECRET_ACCESS_KEY: 'guessed' })
  t.match(await told(t, PLACE), bad(/does not know these credentials|No user exists/))
})
