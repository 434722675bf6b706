import { generate, type IConnectPacket, type Packet, parser } from 'mqtt-packet'
import t from 'tap'
import {
  FrameReader,
  printConnect,
  printPuback,
  printPublish,
  printSubscribe,
  readPublish,
} from './mqtt-frames.ts'

const PROTOCOL = { protocolVersion: 4 } as const
const will = { topic: 'fit/1/f/d/d1/death', payload: Buffer.from('{"v":1}') }
const subscriptions = [
  { topic: 'fit/1/f/d/d1/orders', qos: 1 },
  { topic: 'fit/1/f/d/dü/blocks', qos: 0 },
] as const

t.test('frames are byte for byte what a library of MQTT writes', async (t) => {
  const said = (packet: Packet) => generate(packet, PROTOCOL)
  const connect: Omit<IConnectPacket, 'clientId'> = {
    ...{ protocolId: 'MQTT', ...PROTOCOL, clean: true, keepalive: 30 },
    cmd: 'connect',
    will: { ...will, qos: 1, retain: false },
  }
  const clientId = 'f/d1'
  t.same(printConnect({ clientId, keepaliveS: 30, will }), said({ ...connect, clientId }))
  const username = 'f/d1 über alles'
  t.same(
    printConnect({ clientId, username, keepaliveS: 30, will }),
    said({ ...connect, clientId, username }),
  )
  t.same(
    printSubscribe(7, subscriptions),
    said({ cmd: 'subscribe', messageId: 7, subscriptions: [...subscriptions] }),
  )
  t.same(printPuback(65_535), said({ cmd: 'puback', messageId: 65_535 }))
  const qos1 = { cmd: 'publish', qos: 1, dup: false, retain: false, messageId: 300 } as const
  const topic = 'fit/1/f/d/d1/birth'
  // Lengths around each further byte of a length.
  const around = [127, 128, 16_383, 16_384, 2_097_151, 2_097_152]
  for (const bytes of [0, ...around].map((length) => Math.max(0, length - topic.length - 4))) {
    const payload = Buffer.alloc(bytes, 'x')
    const expected = said({ ...qos1, topic, payload })
    t.ok(printPublish(300, topic, payload).equals(expected), `${bytes} bytes`)
  }
})

t.test('what comes is the same in whatever pieces it comes', async (t) => {
  const publish = {
    cmd: 'publish',
    topic: 'fit/1/f/d/dü/orders',
    dup: false,
    retain: false,
  } as const
  const packets: Packet[] = [
    { cmd: 'connack', returnCode: 0, sessionPresent: false },
    { cmd: 'suback', messageId: 1, granted: [1, 0] },
    { ...publish, qos: 1, messageId: 9, payload: Buffer.from('an order') },
    { ...publish, qos: 0, payload: Buffer.alloc(300, 'b') },
    { cmd: 'pingresp' },
    { ...publish, qos: 0, payload: Buffer.alloc(70_000, 'c') },
    { cmd: 'puback', messageId: 2 },
  ]
  const stream = Buffer.concat(packets.map((packet) => generate(packet, PROTOCOL)))
  const byLibrary: Packet[] = []
  const library = parser(PROTOCOL)
  library.on('packet', (packet) => byLibrary.push(packet))
  library.parse(stream)
  const expected = byLibrary.flatMap((packet) =>
    packet.cmd === 'publish'
      ? [{ topic: packet.topic, messageId: packet.messageId, payload: `${packet.payload}` }]
      : [],
  )
  for (const size of [1, 2, 3, 5, 64, 4_096, stream.length]) {
    const types: number[] = []
    const heard: unknown[] = []
    const reader = new FrameReader((first, body) => {
      types.push(first >> 4)
      const published = first >> 4 === 3 ? readPublish(first, body) : undefined
      if (published) heard.push({ ...published, payload: `${published.payload}` })
    })
    // As of a socket: each piece in the memory of the one before it.
    const arriving = Buffer.alloc(size)
    let isMqtt = true
    for (let at = 0; at < stream.length; at += size) {
      const length = stream.copy(arriving, 0, at, at + size)
      isMqtt &&= reader.read(arriving.subarray(0, length))
    }
    t.ok(isMqtt)
    t.same(types, [2, 9, 3, 3, 13, 3, 4], `pieces of ${size}`)
    t.same(heard, expected)
  }
})

t.test('what is no MQTT is said to be none', async (t) => {
  const reader = new FrameReader(() => t.fail('a frame'))
  t.notOk(reader.read(Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 1])), 'a length of five bytes')
  t.equal(readPublish(0x32, Buffer.from([0, 9, 0x61])), undefined, 'a topic longer than its frame')
  t.equal(readPublish(0x32, Buffer.from([0, 1, 0x61, 0])), undefined, 'half a number')
  t.equal(readPublish(0x30, Buffer.from([0])), undefined)
})
