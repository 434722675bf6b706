import { generate, type Packet } from 'mqtt-packet'
import t from 'tap'
import {
  connectDevice,
  connectPacket,
  nextBytes,
  rawSocket,
  testBroker,
  topicOf,
} from './clients.ts'

t.test('a flood of one device is read at its pace, and nobody else’s', async (t) => {
  const limits = { framesPerSecond: 100, frameBurst: 50 }
  const broker = await testBroker(t, { limits })
  const heard = new Map<string, number>()
  await broker.subscribe('default', 'reports', (topic) => {
    heard.set(topic, (heard.get(topic) ?? 0) + 1)
  })
  const others = await Promise.all(
    ['a', 'b', 'c'].map((device) => connectDevice(t, broker.port, device)),
  )
  const flooder = await rawSocket(t, broker.port)
  const started = performance.now()
  const letIn = nextBytes(flooder)
  flooder.write(connectPacket('flooder'))
  await letIn
  const publish = { cmd: 'publish', qos: 0, retain: false, dup: false } as const
  const frame = generate({
    ...publish,
    topic: topicOf('flooder', 'reports'),
    payload: 'x',
  } as Packet)
  flooder.write(Buffer.concat(Array<Buffer>(20_000).fill(frame)))

  for (let round = 0; round < 30; round += 1) {
    for (const [i, other] of others.entries()) {
      await other.publishAsync(topicOf(['a', 'b', 'c'][i] ?? '', 'reports'), 'x', { qos: 1 })
    }
  }
  const seconds = (performance.now() - started) / 1000
  const flooded = heard.get(topicOf('flooder', 'reports')) ?? 0
  t.ok(flooded <= limits.frameBurst + limits.framesPerSecond * seconds, `${flooded} frames read`)
  t.equal(heard.get(topicOf('a', 'reports')), 30)
  t.equal(broker.connectedClients().length, 4, 'it is slowed down, not thrown out')
  const before = flooded
  while ((heard.get(topicOf('flooder', 'reports')) ?? 0) < before + 20) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
})

t.test('a flood of bytes is read at its pace too', async (t) => {
  const limits = { bytesPerSecond: 200_000, byteBurst: 100_000 }
  const broker = await testBroker(t, { limits })
  let bytes = 0
  await broker.subscribe('default', 'birth', (_topic, payload) => {
    bytes += payload.length
  })
  const started = performance.now()
  const device = await connectDevice(t, broker.port, 'large')
  for (let i = 0; i < 20; i += 1) device.publish(topicOf('large', 'birth'), Buffer.alloc(60_000))
  while (bytes < 600_000) await new Promise((resolve) => setTimeout(resolve, 10))
  const seconds = (performance.now() - started) / 1000
  // With a single byte left, one read of the socket may pass, and the rest of a frame that begins in it.
  const overdraft = 65_536 + 60_100
  const most = limits.byteBurst + overdraft + limits.bytesPerSecond * seconds
  t.ok(bytes <= most, `${bytes} bytes read`)
})
