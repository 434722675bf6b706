import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import t from 'tap'
import {
  closed,
  connectDevice,
  connectPacket,
  nextBytes,
  rawSocket,
  testBroker,
  topicOf,
} from './clients.ts'
import { burstsOf, seededRandom } from './fuzz.ts'

const MIB = 2 ** 20

t.test('a CONNECT of 200 MB is refused at its fifth byte', async (t) => {
  const broker = await testBroker(t)
  const socket = await rawSocket(t, broker.port)
  const before = process.memoryUsage().rss
  socket.write(Buffer.from([0x10, 0x80, 0xc2, 0xd7, 0x5f]))
  await closed(socket)
  t.ok(process.memoryUsage().rss - before < 50 * MIB)
})

t.test('before it is let in a client has 16 KiB, after that 256 KiB', async (t) => {
  const broker = await testBroker(t)
  const wordy = await rawSocket(t, broker.port)
  wordy.write(connectPacket('pi-1', 60, { username: 'x'.repeat(17_000) }))
  await closed(wordy)

  const births: number[] = []
  await broker.subscribe('default', 'birth', (_topic, bytes) => births.push(bytes.length))
  const device = await connectDevice(t, broker.port, 'pi-1')
  await device.publishAsync(topicOf('pi-1', 'birth'), Buffer.alloc(200_000), { qos: 1 })
  t.strictSame(births, [200_000])
  const gone = new Promise<void>((resolve) => device.once('close', () => resolve()))
  device.publish(topicOf('pi-1', 'birth'), Buffer.alloc(300_000))
  await gone
  t.strictSame(births, [200_000])
})

t.test('a connection that says nothing is closed', async (t) => {
  const broker = await testBroker(t, { limits: { connectTimeoutMs: 50 } })
  await closed(await rawSocket(t, broker.port))
})

t.test('a connection that says it byte by byte is closed as well', async (t) => {
  const broker = await testBroker(t, { limits: { connectTimeoutMs: 200 } })
  const socket = await rawSocket(t, broker.port)
  const hello = connectPacket('pi-1')
  let at = 0
  const drip = setInterval(() => socket.write(hello.subarray(at, ++at)), 50)
  t.teardown(() => clearInterval(drip))
  await closed(socket)
  t.ok(at < hello.length)
})

t.test('connections are counted, in all and per address', async (t) => {
  for (const limits of [{ connections: 3 }, { connectionsPerAddress: 3 }]) {
    const broker = await testBroker(t, { limits })
    const welcome: Socket[] = []
    for (let i = 0; i < 3; i += 1) welcome.push(await rawSocket(t, broker.port))
    await closed(await rawSocket(t, broker.port))
    welcome[0]?.destroy()
    while (!(await isWelcome(broker.port)));
  }

  async function isWelcome(port: number): Promise<boolean> {
    const socket = await rawSocket(t, port)
    socket.write(connectPacket('pi-1'))
    const answer = await Promise.race([nextBytes(socket), closed(socket)])
    return answer !== undefined
  }
})

t.test('keep-alive is bounded: none at all, or hours of it, is refused', async (t) => {
  const broker = await testBroker(t)
  for (const keepalive of [0, 301]) {
    const socket = await rawSocket(t, broker.port)
    socket.write(connectPacket('pi-1', keepalive))
    t.strictSame(await nextBytes(socket), Buffer.from([0x20, 2, 0, 6]))
  }
})

t.test('a second connection of a device takes the place of the first', async (t) => {
  const broker = await testBroker(t)
  const first = await connectDevice(t, broker.port, 'pi-1')
  const gone = new Promise<void>((resolve) => first.once('close', () => resolve()))
  const second = await connectDevice(t, broker.port, 'default/pi-1')
  await gone
  await second.subscribeAsync(topicOf('pi-1', 'blocks'))
  const arrived = new Promise((resolve) => second.once('message', (_, bytes) => resolve(bytes)))
  const to = { fleet: 'default', device: 'pi-1', channel: 'blocks' } as const
  await broker.publishToClient(to, Buffer.from('block'))
  t.strictSame(await arrived, Buffer.from('block'))
  t.equal(broker.connectedClients().length, 1)
})

t.test('a last will speaks for its own device only', async (t) => {
  const broker = await testBroker(t)
  const deaths: string[] = []
  await broker.subscribe('default', 'death', (topic) => deaths.push(topic))
  for (const [device, victim] of [
    ['pi-1', 'pi-2'],
    ['pi-3', 'pi-3'],
  ] as const) {
    const will = { topic: topicOf(victim, 'death'), payload: Buffer.from('x'), qos: 1 as const }
    const client = await connectDevice(t, broker.port, device, { will })
    client.stream.destroy()
  }
  while (deaths.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  t.strictSame(deaths, [topicOf('pi-3', 'death')])
})

/** `FITMENT_FUZZ_FRAMES=1000000 node …/hostile.test.js` for the long version. */
const FRAMES = Number(process.env.FITMENT_FUZZ_FRAMES ?? 100_000)
const SEED = Number(process.env.FITMENT_FUZZ_SEED ?? 20_261_123)

t.test(`${FRAMES} random and mutated frames (seed ${SEED})`, async (t) => {
  // As fast as they come: what is looked at is what they do, not how many.
  const unpaced = { framesPerSecond: 1e9, frameBurst: 1e9, bytesPerSecond: 1e12, byteBurst: 1e12 }
  const broker = await testBroker(t, { limits: unpaced })
  const reports: string[] = []
  await broker.subscribe('default', 'reports', (topic) => reports.push(topic))
  const bystander = await connectDevice(t, broker.port, 'bystander')
  const random = seededRandom(SEED)
  let sent = 0
  for (let client = 0; sent < FRAMES; client += 1) {
    const socket = await rawSocket(t, broker.port)
    socket.resume()
    for (const frames of burstsOf(`fuzz-${client}`, random)) {
      socket.write(Buffer.concat(frames))
      sent += frames.length
      await new Promise((resolve) => setImmediate(resolve))
      if (socket.destroyed) break
    }
    socket.end()
    await closed(socket)
  }
  await bystander.publishAsync(topicOf('bystander', 'reports'), randomBytes(10), { qos: 1 })
  t.ok(reports.includes(topicOf('bystander', 'reports')), 'the bystander was never disturbed')
  t.ok(reports.every((topic) => /\/(bystander|fuzz-\d+)\/reports$/.test(topic)))
})
