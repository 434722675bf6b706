import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createArtifactStore } from '../../../planner/storage/artifacts/artifact-store.ts'
import { openDatabase } from '../../../planner/storage/open.ts'
import { BLOCK_BYTES } from '../../../shared/artifact.ts'
import { digestOf } from '../../../shared/digest.ts'

async function store(t: Test) {
  const data = t.testdir({})
  const { db, close } = await openDatabase({ data })
  t.teardown(close)
  return { data, store: createArtifactStore(data, db, () => new Date()) }
}

t.test('bytes are found by their digest, with the digests of their blocks', async (t) => {
  const { store: artifacts } = await store(t)
  const bytes = randomBytes(2 * BLOCK_BYTES + 17)
  const ref = await artifacts.put(bytes)
  t.same({ digest: ref.digest, bytes: ref.bytes }, { digest: digestOf(bytes), bytes: bytes.length })
  t.same(await artifacts.read(ref.digest), bytes)
  const list = await artifacts.read(ref.blockList)
  const blocks = [0, 1, 2].map((i) => bytes.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES))
  t.equal(list.toString('hex'), blocks.map(digestOf).join(''))
  t.same(await artifacts.refOf(ref.digest), ref)
})

t.test('the same bytes twice are one artifact', async (t) => {
  const { data, store: artifacts } = await store(t)
  const file = join(data, 'model.bin')
  await writeFile(file, 'abc')
  const [a, b] = [await artifacts.put(Buffer.from('abc')), await artifacts.putFile(file)]
  t.same(a, b)
  t.same(await readdir(join(data, 'artifacts', 'incoming')), [], 'no draft is left behind')
})

t.test('a stream that breaks leaves nothing behind', async (t) => {
  const { data, store: artifacts } = await store(t)
  async function* broken() {
    yield Buffer.from('half')
    throw new Error('the client went away')
  }
  await t.rejects(artifacts.putStream(broken()), { message: 'the client went away' })
  t.same(await readdir(join(data, 'artifacts', 'incoming')), [])
})

t.test('refusals', async (t) => {
  const { store: artifacts } = await store(t)
  await t.rejects(artifacts.put(Buffer.alloc(0)), { code: 'unusable' })
  await t.rejects(artifacts.read('f'.repeat(64)), { code: 'unknown-artifact' })
  await t.rejects(artifacts.refOf('f'.repeat(64)), { code: 'unknown-artifact' })
  t.equal(await artifacts.open('f'.repeat(64)), undefined)
})

/** On a file system of 256 KiB, in a mount namespace of its own that goes with the process. */
const onSmallDisk = `
  import { createArtifactStore, openDatabase } from ${JSON.stringify(new URL('../../../planner/storage/index.js', import.meta.url).href)}
  const [data, small] = process.argv.slice(2)
  const { db } = await openDatabase({ data })
  const artifacts = createArtifactStore(small, db, () => new Date())
  const first = await artifacts.put(Buffer.alloc(1000, 1))
  const error = await artifacts.put(Buffer.alloc(1 << 20, 2)).catch((error) => error)
  const again = await artifacts.has(first.digest)
  console.log(JSON.stringify({ code: error.code, message: error.message, kept: again }))
  process.exit(0)
`

t.test('a full disk is one clear line, and what was stored stays', async (t) => {
  const data = t.testdir({ small: {}, 'full.mjs': onSmallDisk })
  const small = join(data, 'small')
  const mount = `mount -t tmpfs -o size=256k none "$1" && exec "$2" "$3" "$4" "$1"`
  const args = [
    '-rm',
    'sh',
    '-c',
    mount,
    'sh',
    small,
    process.execPath,
    join(data, 'full.mjs'),
    data,
  ]
  if (spawnSync('unshare', ['-rm', 'true']).status !== 0) {
    t.comment('skipped: this machine lets nobody make mount namespaces')
    return
  }
  const { stdout } = spawnSync('unshare', args, { encoding: 'utf8' })
  t.match(JSON.parse(stdout), {
    code: 'full',
    kept: true,
    message: /no space left under .*: free some/,
  })
})
