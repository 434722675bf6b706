import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { FleetLimits } from '../../../planner/fleet/limits.ts'
import { startFleet } from '../../../planner/fleet/start-fleet.ts'
import { BLOCK_BYTES } from '../../../shared/artifact.ts'
import { invariant } from '../../../shared/errors.ts'
import { framePrefix } from '../../../shared/messages/block-frame.ts'
import { blockListOf } from '../../../shared/messages/block-list.ts'
import { sampleAck, sampleBirth, sampleCancel } from '../../shared/messages/samples.ts'
import { BROKERS, type BrokerKind } from './brokers.ts'
import { SpokenDevice, until } from './devices.ts'
import { MemoryStore } from './memory-store.ts'

/** Retries in ms instead of seconds; what is tested is that they come, not when. */
const QUICK: Partial<FleetLimits> = { retryMs: 20, longestRetryMs: 40, rebirthMs: 20 }

const COPY = 'https://copy.example/artifacts'

async function setUp(t: Test, kind: BrokerKind, limits: Partial<FleetLimits> = QUICK) {
  const broker = await kind.start(t)
  const store = new MemoryStore()
  const open = () =>
    startFleet({
      ...{ connection: broker.connection, fleet: 'default', store, limits },
      artifactsUrl: COPY,
    })
  const link = await open()
  t.teardown(() => link.close())
  return {
    broker,
    store,
    link,
    open,
    device: (name: string) => SpokenDevice.connect(t, broker.port, name),
  }
}

/** An external broker takes subscriptions in its own time: births before that are asked for again. */
async function born(device: SpokenDevice, store: MemoryStore): Promise<void> {
  while (!store.epochs.has(device.name)) {
    await device.sayBirth()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function artifactOf(t: Test, store: MemoryStore, bytes: number) {
  const path = join(t.testdir({}), 'artifact')
  const content = randomBytes(bytes)
  await writeFile(path, content)
  const { ref } = await blockListOf(path)
  store.files.set(ref.digest, path)
  return { digest: ref.digest, content }
}

for (const kind of BROKERS) {
  t.test(`through ${kind.name}`, { skip: kind.skip }, async (t) => {
    t.test('a birth is stored and answered with the orders that are owed', async (t) => {
      const { store, device } = await setUp(t, kind)
      store.orders.set('pi-1', [sampleCancel('order-1'), sampleCancel('order-2')])
      const pi = await device('pi-1')
      await born(pi, store)
      await until(() => pi.ordersOf('cancel').length >= 2)
      t.strictSame(
        pi
          .ordersOf('cancel')
          .slice(0, 2)
          .map(({ id }) => id),
        ['order-1', 'order-2'],
      )
      await until(() => pi.receipts().includes('birth-0'))
      t.same(new Set(pi.ordersOf('receipt').map(({ artifacts }) => artifacts)), new Set([COPY]))
      t.strictSame(
        store.births[0]?.birth,
        sampleBirth({ id: 'birth-0', epoch: { start: 'pi-1', connection: 0 } }),
      )
    })

    t.test('a report of a kind that came later gets its receipt, and is no garbage', async (t) => {
      const { store, device } = await setUp(t, kind)
      const pi = await device('pi-1')
      await born(pi, store)
      const later = { ...sampleAck('later-1'), kind: 'telemetry', samples: [1, 2] }
      await pi.say('reports', later)
      await pi.say('reports', sampleAck('ack-1', 'order-1'))
      await until(() => pi.receipts().includes('later-1') && pi.receipts().includes('ack-1'))
      t.strictSame([...store.reports.values()], [sampleAck('ack-1', 'order-1')])
      t.strictSame(store.garbage, [])
    })

    t.test('an order is sent again until it is acknowledged, and no more then', async (t) => {
      const { store, link, device } = await setUp(t, kind)
      const pi = await device('pi-1')
      await born(pi, store)
      store.orders.set('pi-1', [sampleCancel('order-1')])
      link.nudge('pi-1')
      await until(() => pi.ordersOf('cancel').length >= 3)
      await pi.say('reports', sampleAck('ack-1', 'order-1'))
      await until(() => pi.receipts().includes('ack-1'))
      store.orders.set('pi-1', [sampleCancel('order-2')])
      link.nudge('pi-1')
      await until(() => pi.orders.some(({ id }) => id === 'order-2'))
      const heard = pi.orders.length
      await until(() => pi.orders.length > heard)
      t.ok(pi.orders.slice(heard).every(({ id }) => id === 'order-2'))
    })

    t.test('reports are stored before they are receipted, twice told once stored', async (t) => {
      const { store, device } = await setUp(t, kind)
      const pi = await device('pi-1')
      await born(pi, store)
      for (const id of ['r2', 'r1', 'r2', 'r3', 'r1']) await pi.say('reports', sampleAck(id))
      await until(() => pi.receipts().filter((id) => id.startsWith('r')).length === 5)
      t.strictSame([...store.reports.keys()], ['pi-1/r2', 'pi-1/r1', 'pi-1/r3'])
    })

    t.test('what cannot be stored gets no receipt, and gets it when it can', async (t) => {
      const { store, device } = await setUp(t, kind)
      const pi = await device('pi-1')
      await born(pi, store)
      store.broken = true
      const again = sampleBirth({ id: 'birth-9', epoch: { start: 'pi-1', connection: 9 } })
      await pi.say('reports', sampleAck('r1'))
      await pi.say('birth', again)
      await until(() => store.failures === 2)
      store.broken = false
      await pi.say('reports', sampleAck('r2'))
      await until(() => pi.receipts().includes('r2'))
      t.notOk(pi.receipts().some((id) => id === 'r1' || id === 'birth-9'))
      await pi.say('reports', sampleAck('r1'))
      await pi.say('birth', again)
      await until(() => ['r1', 'birth-9'].every((id) => pi.receipts().includes(id)))
    })

    t.test('a death speaks for its own session only', async (t) => {
      const { store, device } = await setUp(t, kind)
      const pi = await device('pi-1')
      await born(pi, store)
      await pi.sayBirth(2)
      await pi.say('death', { v: 1, epoch: { start: 'pi-1', connection: 1 } })
      await pi.sayBirth(1)
      await pi.say('reports', sampleAck('r1'))
      await until(() => pi.receipts().includes('r1'))
      t.equal(store.epochs.get('pi-1')?.connection, 2)
      await pi.say('death', { v: 1, epoch: { start: 'pi-1', connection: 2 } })
      await until(() => !store.epochs.has('pi-1'))
    })

    t.test('a connection that breaks is a death, by the last will', async (t) => {
      const { store, device } = await setUp(t, kind)
      const pi = await device('pi-1')
      await born(pi, store)
      pi.client.stream.destroy()
      await until(() => !store.epochs.has('pi-1'))
    })

    t.test('a planner that starts anew asks who talks to say birth again', async (t) => {
      const { store, link, open, device } = await setUp(t, kind)
      const pi = await device('pi-1')
      await born(pi, store)
      await link.close()
      const before = pi.ordersOf('rebirth').length
      const second = await open()
      t.teardown(() => second.close())
      await until(() => pi.ordersOf('rebirth').length > before)
      store.epochs.clear()
      await pi.sayBirth()
      await until(() => store.epochs.has('pi-1'))
    })

    t.test('blocks that are wanted come, those and no others, up to the credit', async (t) => {
      const { store, device } = await setUp(t, kind)
      const { digest, content } = await artifactOf(t, store, 3 * BLOCK_BYTES + 100)
      const pi = await device('pi-1')
      await born(pi, store)
      await pi.want(digest, [1, 3])
      await until(() => pi.blocks.length === 2)
      for (const { prefix, index, bytes } of pi.blocks) {
        t.equal(prefix, framePrefix(digest))
        t.ok([1, 3].includes(index))
        t.ok(content.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES).equals(bytes))
      }
      await pi.want(digest, [0, 1, 2], 2 * BLOCK_BYTES + 10)
      await pi.want(digest, [3])
      await until(() => pi.blocks.length === 5)
      t.strictSame(
        pi.blocks
          .slice(2)
          .map(({ index }) => index)
          .sort(),
        [0, 1, 3],
      )
    })

    t.test(
      'blocks past the end, of unknown artifacts or of nobody’s order do not come',
      async (t) => {
        const { store, device } = await setUp(t, kind)
        const { digest } = await artifactOf(t, store, 100)
        const pi = await device('pi-1')
        await born(pi, store)
        await pi.want('0'.repeat(64), [0])
        await pi.want(digest, [1, 2])
        await until(() => store.answered.length === 2)
        store.denied.add('pi-1')
        await pi.want(digest, [0])
        await pi.say('reports', sampleAck('r1'))
        await until(() => pi.receipts().includes('r1'))
        // A receipt may come before the store was asked.
        await until(() => store.answered.length === 3)
        store.denied.clear()
        await pi.want(digest, [0])
        await until(() => pi.blocks.length > 0)
        t.strictSame(
          pi.blocks.map(({ index }) => index),
          [0],
        )
      },
    )

    t.test('blocks come no faster than they may, to one device and to all', async (t) => {
      const rate = 512 * 1024
      const limits = { ...QUICK, bytesPerSecondPerDevice: rate, bytesPerSecond: 1.5 * rate }
      const { store, device } = await setUp(t, kind, limits)
      const { digest } = await artifactOf(t, store, 16 * BLOCK_BYTES)
      const blocks = Array.from({ length: 16 }, (_, i) => i)
      /** Bytes a second from the first block to the last, as the receiver saw them; a busy machine makes it slower only. */
      const received = async (pi: SpokenDevice) => {
        await born(pi, store)
        await pi.want(digest, blocks)
        await until(() => pi.blocks.length >= 1)
        const began = performance.now()
        await until(() => pi.blocks.length >= blocks.length)
        const bytes = pi.blocks.slice(1).reduce((sum, { bytes: { length } }) => sum + length, 0)
        return { began, ended: performance.now(), bytes }
      }
      const alone = await received(await device('pi-1'))
      const ownRate = (1000 * alone.bytes) / (alone.ended - alone.began)
      t.comment(`${Math.round(ownRate / 1024)} KiB/s where 512 are allowed`)
      t.ok(ownRate < 1.1 * rate)
      const three = await Promise.all(
        ['pi-2', 'pi-3', 'pi-4'].map(async (name) => received(await device(name))),
      )
      const began = Math.min(...three.map((one) => one.began))
      const ended = Math.max(...three.map((one) => one.ended))
      const bytes = three.reduce((sum, one) => sum + one.bytes, 0)
      const together = (1000 * bytes) / (ended - began)
      t.comment(`${Math.round(together / 1024)} KiB/s of three where 768 are allowed`)
      t.ok(together < 1.1 * 1.5 * rate)
    })

    t.test('of a flood of reports so many are taken, and others are heard', async (t) => {
      const limits = { ...QUICK, reportBurst: 30, reportIntervalMs: 3_600_000 }
      const { store, device } = await setUp(t, kind, limits)
      const [loud, quiet] = [await device('loud'), await device('quiet')]
      await born(loud, store)
      for (let i = 0; i < 200; i += 1) await loud.say('reports', sampleAck(`loud-${i}`))
      await born(quiet, store)
      await quiet.say('reports', sampleAck('quiet-1'))
      await until(() => store.reports.has('quiet/quiet-1'))
      const taken = [...store.reports.keys()].filter((key) => key.startsWith('loud/')).length
      t.ok(taken > 0 && taken < 30, `${taken} of 200 taken`)
    })

    t.test('garbage is recorded, so much of it, and disturbs nobody', async (t) => {
      const { store, device } = await setUp(t, kind, { ...QUICK, garbageIntervalMs: 3_600_000 })
      const bad = await device('bad')
      const good = await device('good')
      await born(good, store)
      for (let round = 0; round < 30; round += 1) {
        await bad.say('birth', Buffer.from('{"v":1,"id":'))
        await bad.say('reports', randomBytes(300))
        await bad.say('want', { v: 1, id: 'w', artifact: 'x' })
        await bad.say('death', Buffer.alloc(5000, '['))
      }
      await bad.say('reports', sampleAck('true'))
      await until(() => bad.receipts().includes('true'))
      t.equal(store.garbage.length, 10)
      t.match(store.garbage[0], { device: 'bad', channel: 'birth', reason: /^not-json: / })
      t.match(store.garbage[3], { channel: 'death', reason: /^too-large: / })
      await good.say('reports', sampleAck('r1'))
      await until(() => good.receipts().includes('r1'))
    })

    t.test(
      'a broker that goes away and comes back: the link comes back by itself',
      { skip: kind.endsWithPlanner && 'the planner goes away with its embedded broker' },
      async (t) => {
        const { broker, store, link, device } = await setUp(t, kind)
        invariant(broker.restart, 'a broker apart can be restarted')
        const first = await device('pi-1')
        await born(first, store)
        const { digest } = await artifactOf(t, store, 4 * BLOCK_BYTES)
        await first.want(digest, [0, 1, 2, 3])
        await broker.stop()
        link.nudge('pi-1')
        await broker.restart()
        const again = await device('pi-1')
        store.epochs.clear()
        await born(again, store)
        store.orders.set('pi-1', [sampleCancel('order-1')])
        link.nudge('pi-1')
        await until(() => again.ordersOf('cancel').length > 0)
        await again.want(digest, [0, 1, 2, 3])
        await until(() => again.blocks.length === 4)
      },
    )
  })
}

t.test('a broker address that is none is refused at once', async (t) => {
  for (const url of ['', 'localhost', 'http://localhost', 'mqtt//localhost']) {
    const connection = { kind: 'mqtt', url } as const
    const store = new MemoryStore()
    await t.rejects(startFleet({ connection, fleet: 'default', store }), { code: 'usage' })
  }
})
