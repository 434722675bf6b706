import t, { type Test } from 'tap'
import type { EmbeddedBroker } from '../../../planner/fleet/connection.ts'
import { startFleet } from '../../../planner/fleet/start-fleet.ts'
import type { Awaiting } from '../../../planner/fleet/store.ts'
import type { Birth } from '../../../shared/messages/birth.ts'
import type { HeardOrder } from '../../../shared/messages/orders.ts'
import { parseMessage, printMessage } from '../../../shared/messages/parse-message.ts'
import { printTopic } from '../../../shared/messages/topics.ts'
import { sampleBirth, sampleCancel } from '../../shared/messages/samples.ts'
import { until } from './devices.ts'
import { MemoryStore } from './memory-store.ts'

/** Answers as of a moment at which it is held. */
class HeldStore extends MemoryStore {
  asked = 0
  hold: (() => Promise<void>) | undefined

  override async recordBirth(device: string, birth: Birth): Promise<Awaiting> {
    const awaiting = await super.recordBirth(device, birth)
    await this.hold?.()
    return awaiting
  }

  override pendingOrders(device: string) {
    this.asked += 1
    return super.pendingOrders(device)
  }
}

async function setUp(t: Test) {
  const store = new HeldStore()
  const heard: HeardOrder[] = []
  const takes: ((topic: string, bytes: Uint8Array) => void)[] = []
  const broker: EmbeddedBroker = {
    async subscribe(_fleet, channel, take) {
      if (channel === 'birth') takes.push(take)
      return async () => {}
    },
    async publishToClient(to, bytes) {
      const parsed = parseMessage(printTopic(to), bytes)
      if (parsed.ok && parsed.message.channel === 'orders') heard.push(parsed.message.payload)
    },
    connectedClients: () => [],
  }
  const link = await startFleet({
    ...{ connection: { kind: 'embedded', broker }, fleet: 'default', store },
  })
  t.teardown(() => link.close())
  const sayBirth = (connection: number) => {
    const birth = sampleBirth({ id: `birth-${connection}`, epoch: { start: 'pi-1', connection } })
    const topic = printTopic({ fleet: 'default', device: 'pi-1', channel: 'birth' })
    for (const take of takes) take(topic, printMessage('birth', birth))
  }
  const hasReceipt = (id: string) =>
    heard.some((order) => order.kind === 'receipt' && order.reports.includes(id))
  const cancels = () => heard.filter(({ kind }) => kind === 'cancel')
  return { store, link, sayBirth, hasReceipt, cancels }
}

t.test('whom nothing awaits, no orders are asked for; a nudge asks', async (t) => {
  const { store, link, sayBirth, hasReceipt, cancels } = await setUp(t)
  for (const connection of [1, 2]) {
    sayBirth(connection)
    await until(() => hasReceipt(`birth-${connection}`))
  }
  t.equal(store.asked, 0)
  store.orders.set('pi-1', [sampleCancel('later')])
  link.nudge('pi-1')
  await until(() => cancels().length > 0)
  t.equal(store.asked, 1)
  sayBirth(3)
  await until(() => cancels().length > 1)
  t.same(
    cancels().map(({ id }) => id),
    ['later', 'later'],
    'once in each session',
  )
})

t.test('an order that comes between a birth and its answer is sent', async (t) => {
  for (const before of [[], [1]]) {
    const { store, link, sayBirth, hasReceipt, cancels } = await setUp(t)
    for (const connection of before) {
      sayBirth(connection)
      await until(() => hasReceipt(`birth-${connection}`))
    }
    store.hold = async () => {
      store.orders.set('pi-1', [sampleCancel('meanwhile')])
      link.nudge('pi-1')
    }
    sayBirth(2)
    // What was sent in the session before may be lost.
    await until(() => cancels().length > before.length)
    t.equal(cancels().at(-1)?.id, 'meanwhile')
  }
})
