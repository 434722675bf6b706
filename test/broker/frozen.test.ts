import type { Socket } from 'node:net'
import t from 'tap'
import type { Broker } from '../../broker/start-broker.ts'
import { connectDevice, frozenDevice, testBroker, topicOf } from './clients.ts'

const BLOCK = Buffer.alloc(64 * 1024)
/** The kernel takes some 6 MB for each before its socket is full; `FITMENT_FROZEN=120` is the long version. */
const FROZEN = Number(process.env.FITMENT_FROZEN ?? 24)

t.test(`${FROZEN} devices that do not read hold up nobody`, async (t) => {
  // Longer than the test: were anybody waiting for the frozen ones to be timed out, it would not end.
  const limits = { drainTimeoutMs: 600_000, inflightBytesPerClient: 2 ** 20 }
  const broker = await testBroker(t, { limits })
  const frozen: Socket[] = []
  for (let i = 0; i < FROZEN; i += 1) frozen.push(await frozenDevice(t, broker.port, `frozen-${i}`))
  const sends = (await Promise.all(frozen.map((_, i) => stuff(broker, `frozen-${i}`)))).flat()

  const other = await connectDevice(t, broker.port, 'other')
  const births: Uint8Array[] = []
  await broker.subscribe('default', 'birth', (_topic, bytes) => births.push(bytes))
  await other.subscribeAsync(topicOf('other', 'blocks'))
  let received = 0
  other.on('message', () => {
    received += 1
  })
  for (let round = 0; round < 50; round += 1) {
    await other.publishAsync(topicOf('other', 'birth'), `${round}`, { qos: 1 })
    await broker.publishToClient({ fleet: 'default', device: 'other', channel: 'blocks' }, BLOCK)
  }
  while (received < 50) await new Promise((resolve) => setTimeout(resolve, 1))
  t.equal(births.length, 50)
  t.equal(broker.connectedClients().length, FROZEN + 1, 'the frozen ones were still there')
  for (const socket of frozen) socket.destroy()
  await Promise.all(sends)
})

t.test(
  'a device that does not read is closed in the end, and its bytes are given up',
  async (t) => {
    const broker = await testBroker(t, { limits: { drainTimeoutMs: 100 } })
    const socket = await frozenDevice(t, broker.port, 'frozen')
    const to = { fleet: 'default', device: 'frozen', channel: 'blocks' } as const
    const sends = Array.from({ length: 64 }, () => broker.publishToClient(to, BLOCK))
    const outcomes = await Promise.allSettled(sends)
    t.ok(outcomes.some(({ status }) => status === 'rejected'))
    t.strictSame(broker.connectedClients(), [])
    await t.rejects(broker.publishToClient(to, BLOCK), { code: 'device-offline' })
    socket.destroy()
  },
)

t.test('a device that has not subscribed gets nothing', async (t) => {
  const broker = await testBroker(t)
  const device = await connectDevice(t, broker.port, 'pi-1')
  const to = { fleet: 'default', device: 'pi-1', channel: 'orders' } as const
  await t.rejects(broker.publishToClient(to, BLOCK), { code: 'device-offline' })
  await device.subscribeAsync(topicOf('pi-1', 'orders'), { qos: 1 })
  await broker.publishToClient(to, BLOCK)
  await device.unsubscribeAsync(topicOf('pi-1', 'orders'))
  await t.rejects(broker.publishToClient(to, BLOCK), { code: 'device-offline' })
})

t.test('two brokers on one port: the second says so', async (t) => {
  const broker = await testBroker(t)
  await t.rejects(testBroker(t, { port: broker.port }), { code: 'cannot-listen' })
})

/** Sends blocks until no more are taken for the device; what is under way ends with the connection. */
async function stuff(broker: Broker, device: string): Promise<Promise<unknown>[]> {
  const sends: Promise<unknown>[] = []
  let busy = false
  while (!busy) {
    const to = { fleet: 'default', device, channel: 'blocks' } as const
    sends.push(
      broker.publishToClient(to, BLOCK).catch((error) => {
        busy ||= error.code === 'device-busy'
      }),
    )
    await new Promise((resolve) => setImmediate(resolve))
  }
  return sends
}
