import { randomBytes, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { ArtifactStore, DiskQuota, OPEN_GATE, Slots } from '../../../agent/artifacts/index.ts'
import { DeviceLink, parseEndpoint, RECONNECT_BACKOFF } from '../../../agent/link/index.ts'
import { startBroker } from '../../../broker/index.ts'
import { startFleet } from '../../../planner/fleet/start-fleet.ts'
import { BLOCK_BYTES } from '../../../shared/artifact.ts'
import { blockListOf } from '../../../shared/messages/block-list.ts'
import { sampleBirth } from '../../shared/messages/samples.ts'
import { SpokenDevice, until } from './devices.ts'
import { MemoryStore } from './memory-store.ts'

const PIECE = 16 * 1024

async function setUp(t: Test, pieceBytes: number) {
  const broker = await startBroker({ fleets: ['default'] })
  const store = new MemoryStore()
  const connection = { kind: 'embedded', broker } as const
  const link = await startFleet({ connection, fleet: 'default', store, limits: { pieceBytes } })
  t.teardown(async () => {
    await link.close()
    await broker.close()
  })
  const directory = t.testdir({})
  const offer = async (content: Buffer) => {
    const path = join(directory, randomUUID())
    await writeFile(path, content)
    const { ref, blockList } = await blockListOf(path)
    await writeFile(`${path}.list`, blockList)
    store.files.set(ref.digest, path)
    store.files.set(ref.blockList, `${path}.list`)
    return ref
  }
  return { broker, directory, offer }
}

/** Bytes of which half can be deflated away, and such as cannot be. */
const letters = Buffer.from(randomBytes(2 * BLOCK_BYTES + 50).toString('hex'))
const noise = randomBytes(4 * BLOCK_BYTES + 100)

t.test('no message is longer than it may be, and what deflates is sent deflated', async (t) => {
  const { broker, offer } = await setUp(t, PIECE)
  const pi = await SpokenDevice.connect(t, broker.port, 'pi-1')
  for (const content of [letters, noise]) {
    const { digest: artifact } = await offer(content)
    pi.blocks.length = 0
    const want = { v: 1, id: artifact.slice(0, 8), artifact, from: 0, missing: 'Aw==' }
    await pi.say('want', { ...want, credit: 2 * BLOCK_BYTES, packed: true })
    const isDone = () =>
      pi.blocks.filter(({ packing }) => packing?.part === (packing?.parts ?? 0) - 1)
    await until(() => isDone().length === 2)
    t.ok(pi.blocks.every(({ bytes }) => bytes.length <= PIECE))
    t.equal(
      pi.blocks.some(({ packing }) => packing?.isDeflated),
      content === letters,
    )
  }
})

for (const pieceBytes of [PIECE, BLOCK_BYTES]) {
  t.test(`an agent puts together what comes in messages of ${pieceBytes} bytes`, async (t) => {
    const { broker, directory, offer } = await setUp(t, pieceBytes)
    const link = new DeviceLink({
      endpoint: parseEndpoint(`mqtt://127.0.0.1:${broker.port}`),
      fleet: 'default',
      device: 'pi-1',
      start: randomUUID(),
      backoff: RECONNECT_BACKOFF,
      log: pino({ level: 'silent' }),
      birth: async (epoch) => sampleBirth({ id: randomUUID(), epoch }),
      onOrder: () => {},
    })
    t.teardown(() => link.close())
    link.start()
    const store = new ArtifactStore({
      directory: join(directory, 'artifacts'),
      quota: new DiskQuota(directory, null),
      slots: new Slots(join(directory, 'slots')),
      cacheLimitBytes: 2 ** 30,
      wire: { source: link, gate: OPEN_GATE, monotonic: () => performance.now(), window: 16 },
    })
    await store.open()
    for (const content of [letters, noise]) {
      const { signal } = new AbortController()
      const file = await store.fetch(await offer(content), { giveUpMs: 60_000, signal })
      t.ok(readFileSync(file).equals(content))
    }
    t.same(link.dropped, {})
  })
}
