import { generate, type Packet } from 'mqtt-packet'
import t from 'tap'
import type { Channel } from '../../shared/messages/topics.ts'
import {
  closed,
  connectDevice,
  connectPacket,
  connectPlanner,
  frozenDevice,
  rawDevice,
  rawSocket,
  testBroker,
  topicOf,
  until,
} from './clients.ts'
import { tlsBroker } from './tls-broker.ts'

const BLOCK = Buffer.alloc(64 * 1024)

t.test('what one client says changes nothing in how another is read', async (t) => {
  const broker = await testBroker(t)
  const heard: string[] = []
  await broker.subscribe('default', 'reports', (_topic, bytes) => heard.push(textOf(bytes)))
  const other = await connectDevice(t, broker.port, 'other')
  const hostile = await rawDevice(t, broker.port, 'hostile')
  const gone = closed(hostile)
  const again = { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 5, clean: true }
  hostile.write(generate({ ...again, clientId: 'hostile', keepalive: 60 } as Packet))
  await gone
  await other.publishAsync(topicOf('other', 'reports'), '{"v":1}', { qos: 1 })
  await other.subscribeAsync(topicOf('other', 'orders'), { qos: 1 })
  t.same(heard, ['{"v":1}'])
  t.ok(other.connected)
})

t.test('a planner elsewhere hears all of a device, in order, of whatever QoS', async (t) => {
  const broker = await testBroker(t)
  const planner = await connectPlanner(t, broker.port)
  const heard: string[] = []
  planner.on('message', (_topic, bytes) => heard.push(textOf(bytes)))
  for (const channel of ['birth', 'reports'])
    await planner.subscribeAsync(`fit/1/default/d/+/${channel}`, { qos: 1 })
  const socket = await rawDevice(t, broker.port, 'pi-1')
  const said = Array.from({ length: 40 }, (_, i) =>
    publishOf('reports', `${i}`, i % 3 === 0 ? 1 : 0),
  )
  socket.write(Buffer.concat([publishOf('birth', 'birth', 1), ...said]))
  await until(() => heard.length >= 41)
  t.same(heard, ['birth', ...said.map((_, i) => `${i}`)])
})

t.test(
  'what waits for its turn is heard when its client has gone, and its goodbye too',
  async (t) => {
    const broker = await testBroker(t, { limits: { framesPerSecond: 200, frameBurst: 5 } })
    const heard: string[] = []
    for (const channel of ['reports', 'death'] as const)
      await broker.subscribe('default', channel, (_topic, bytes) => heard.push(textOf(bytes)))
    const will = { topic: topicOf('pi-1', 'death'), payload: 'will', qos: 1, retain: false }
    const socket = await rawDevice(t, broker.port, 'pi-1', 60, { will })
    const said = Array.from({ length: 30 }, (_, i) => publishOf('reports', `${i}`, 0))
    socket.end(Buffer.concat([...said, generate({ cmd: 'disconnect' })]))
    await until(() => broker.connectedClients().length === 0)
    t.same(
      heard,
      said.map((_, i) => `${i}`),
    )
  },
)

t.test('whoever is fed is heard', async (t) => {
  const broker = await testBroker(t, { limits: { inflightBytesPerClient: 2 ** 30 } })
  const wants: string[] = []
  await broker.subscribe('default', 'want', (_topic, bytes) => wants.push(textOf(bytes)))
  const socket = await frozenDevice(t, broker.port, 'pi-1')
  const to = { fleet: 'default', device: 'pi-1', channel: 'blocks' } as const
  let taken = 0
  // More than the kernel takes for a socket that does not read.
  const sends = Array.from({ length: 1_000 }, async () => {
    await broker.publishToClient(to, BLOCK)
    taken += 1
  })
  for (const want of ['a', 'b', 'c']) socket.write(publishOf('want', want, 0))
  await until(() => wants.length === 3)
  t.ok(taken < sends.length, 'blocks wait')
  socket.resume()
  await Promise.all(sends)
})

/** As fast as it comes, and for as long as it takes: what is looked at is who waits for whom. */
const PATIENT = {
  ...{ framesPerSecond: 1e9, frameBurst: 1e9, bytesPerSecond: 1e12, byteBurst: 1e12 },
  drainTimeoutMs: 600_000,
}

t.test('who reads no answers is read no further, until it does', async (t) => {
  const broker = await testBroker(t, { limits: { ...PATIENT, inflightBytesPerClient: 2 ** 30 } })
  let heard = 0
  await broker.subscribe('default', 'reports', () => {
    heard += 1
  })
  const socket = await frozenDevice(t, broker.port, 'pi-1')
  const to = { fleet: 'default', device: 'pi-1', channel: 'blocks' } as const
  // More than the kernel takes for a socket that does not read: answers wait behind it.
  const sends = Array.from({ length: 1_000 }, () => broker.publishToClient(to, BLOCK))
  const said = 20_000
  socket.write(Buffer.concat(Array<Buffer>(said).fill(publishOf('reports', '', 1))))
  await standsStill(() => heard)
  t.ok(heard > 0 && heard < said, `${heard} of ${said} heard`)
  socket.resume()
  await Promise.all(sends)
  await until(() => heard === said)
})

t.test(
  'a planner elsewhere that does not read holds who speaks to it, and loses nothing',
  async (t) => {
    const broker = await testBroker(t, { limits: PATIENT })
    let heard = 0
    await broker.subscribe('default', 'reports', () => {
      heard += 1
    })
    const planner = await connectPlanner(t, broker.port)
    let arrived = 0
    planner.on('message', () => {
      arrived += 1
    })
    await planner.subscribeAsync('fit/1/default/d/+/reports', { qos: 1 })
    planner.stream.pause()
    const socket = await rawDevice(t, broker.port, 'pi-1')
    socket.resume()
    const said = 1_000
    socket.write(
      Buffer.concat(Array<Buffer>(said).fill(publishOf('reports', 'x'.repeat(64_000), 0))),
    )
    await standsStill(() => heard)
    t.ok(heard > 0 && heard < said, `${heard} of ${said} heard`)
    planner.stream.resume()
    await until(() => arrived === said)
  },
)

t.test('who is revoked while it is let in does not stay', async (t) => {
  for (const [identity, welcomes] of [
    [{ role: 'device', fleet: 'default', device: 'pi-1' }, 0],
    // Asked at the door, and again once Aedes has let it in.
    [{ role: 'planner', fleet: 'default' }, 0],
    [{ role: 'planner', fleet: 'default' }, 1],
  ] as const) {
    let asked = 0
    const broker = await testBroker(t, {
      limits: { sweepMs: 3_600_000 },
      authenticate: async () => identity,
      isWelcome: () => {
        asked += 1
        return asked <= welcomes
      },
    })
    const socket = await rawSocket(t, broker.port)
    socket.resume()
    const gone = closed(socket)
    socket.write(connectPacket('somebody'))
    await gone
    t.same(broker.connectedClients(), [], `${identity.role}, ${welcomes}`)
  }
})

t.test('at the QoS that was granted', async (t) => {
  const broker = await testBroker(t)
  const device = await connectDevice(t, broker.port, 'pi-1')
  const to = { fleet: 'default', device: 'pi-1', channel: 'orders' } as const
  for (const qos of [0, 1] as const) {
    await device.subscribeAsync(topicOf('pi-1', 'orders'), { qos })
    const heard = new Promise<number>((resolve) =>
      device.once('message', (_topic, _bytes, packet) => resolve(packet.qos)),
    )
    await broker.publishToClient(to, Buffer.from('order'))
    t.equal(await heard, qos)
  }
})

t.test('a handshake that is never done ends in time', async (t) => {
  const { broker } = await tlsBroker(t, { limits: { connectTimeoutMs: 200 } })
  const [silent, half] = [await rawSocket(t, broker.port), await rawSocket(t, broker.port)]
  // The beginning of a record that says hello.
  half.write(Buffer.from([0x16, 3, 1, 2, 0, 1]))
  await Promise.all([closed(silent), closed(half)])
})

function publishOf(channel: Channel, payload: string, qos: 0 | 1): Buffer {
  const packet = { cmd: 'publish', topic: topicOf('pi-1', channel), payload, qos } as const
  return generate({ ...packet, messageId: 1, retain: false, dup: false })
}

async function standsStill(count: () => number): Promise<void> {
  for (let before = -1; count() !== before || before === 0; ) {
    before = count()
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString()
}
