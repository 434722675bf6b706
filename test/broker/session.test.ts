import { execFile } from 'node:child_process'
import type { Socket } from 'node:net'
import { promisify } from 'node:util'
import { connectAsync } from 'mqtt'
import { generate, type Packet, parser } from 'mqtt-packet'
import t, { type Test } from 'tap'
import { publishHead } from '../../broker/packets.ts'
import type { Broker } from '../../broker/start-broker.ts'
import {
  closed,
  connectDevice,
  connectPacket,
  frozenDevice,
  rawDevice,
  rawSocket,
  testBroker,
  topicOf,
  until,
} from './clients.ts'

const REPORTS = topicOf('pi-1', 'reports')
const WILL = { topic: topicOf('pi-1', 'death'), payload: Buffer.from('gone'), qos: 1 } as const

t.test('what stands before a payload is as mqtt-packet prints it', async (t) => {
  for (const topic of ['a', REPORTS, 'ä/ö']) {
    const around = [0, 1, 127, 16_383, 2_097_151].flatMap((bytes) => [bytes - 30, bytes, bytes + 1])
    for (const length of around.filter((bytes) => bytes >= 0)) {
      const payload = Buffer.alloc(length)
      for (const qos of [0, 1] as const) {
        const packet = { cmd: 'publish', topic, payload, qos, retain: false, dup: false } as const
        const whole = generate({ ...packet, messageId: 513 } as Packet)
        const head = publishHead(topic, qos === 1 ? 513 : undefined, length)
        t.ok(whole.equals(Buffer.concat([head, payload])), `${topic}, ${length} bytes, QoS ${qos}`)
      }
    }
  }
})

t.test(
  'QoS 2: heard once, and again once it is released; what is never released is bounded',
  async (t) => {
    const broker = await testBroker(t)
    const heard = await reportsOf(broker)
    const { say, answers, socket } = await speaking(t, broker)
    await say(publishOf(2, 7), publishOf(2, 7))
    t.same(answers(), ['pubrec 7', 'pubrec 7'])
    t.equal(heard.length, 1)
    await say({ cmd: 'pubrel', messageId: 7 } as Packet, publishOf(2, 7))
    t.same(answers(), ['pubcomp 7', 'pubrec 7'])
    t.equal(heard.length, 2)
    const gone = closed(socket)
    for (let id = 8; id < 30; id += 1) socket.write(generate(publishOf(2, id)))
    await gone
    t.equal(heard.length, 2 + 15)
  },
)

t.test('a will is said unless the client said goodbye', async (t) => {
  const broker = await testBroker(t)
  const deaths: string[] = []
  await broker.subscribe('default', 'death', (_topic, bytes) =>
    deaths.push(Buffer.from(bytes).toString()),
  )
  const polite = await connectDevice(t, broker.port, 'pi-1', { will: WILL })
  await polite.endAsync()
  await until(() => broker.connectedClients().length === 0)
  t.same(deaths, [])
  const silent = await connectDevice(t, broker.port, 'pi-1', { will: WILL })
  silent.stream.destroy()
  await until(() => deaths.length > 0)
  t.same(deaths, ['gone'])
  const first = await connectDevice(t, broker.port, 'pi-1', { will: WILL })
  const replaced = new Promise((resolve) => first.once('close', () => resolve(undefined)))
  await connectDevice(t, broker.port, 'pi-1')
  await replaced
  await until(() => deaths.length > 1)
  t.same(deaths, ['gone', 'gone'], 'whose place was taken')
})

t.test('who says nothing for one and a half times its keep-alive is let go', async (t) => {
  const broker = await testBroker(t)
  const deaths: string[] = []
  await broker.subscribe('default', 'death', (topic) => deaths.push(topic))
  const socket = await rawDevice(t, broker.port, 'pi-1', 1, { will: WILL })
  const pings = setInterval(() => socket.write(generate({ cmd: 'pingreq' })), 500)
  await new Promise((resolve) => setTimeout(resolve, 2_500))
  t.notOk(socket.destroyed, 'it pings')
  clearInterval(pings)
  socket.resume()
  await closed(socket)
  await until(() => deaths.length > 0)
  t.same(deaths, [WILL.topic])
})

t.test('frames that MQTT does not know, or not there, end the connection', async (t) => {
  const broker = await testBroker(t)
  const bad: readonly [string, Buffer][] = [
    ['a second CONNECT', connectPacket('pi-1')],
    ['what only a server says', generate({ cmd: 'pingresp' })],
    ['both bits of QoS', Buffer.from([0x36, 0])],
    ['a topic with a wildcard', generate({ ...publishOf(1, 1), topic: 'fit/+' } as Packet)],
    ['no topic', generate({ ...publishOf(0, 0), topic: '' } as Packet)],
    ['a SUBSCRIBE of nothing', Buffer.from([0x82, 2, 0, 1])],
    ['an UNSUBSCRIBE of nothing', Buffer.from([0xa2, 2, 0, 1])],
    ['a SUBSCRIBE of very much', generate(subscribeOf(...Array<string>(17).fill('x')))],
    ['a PUBREL of nothing', Buffer.from([0x62, 0])],
    ['a PUBLISH at QoS 1 that has no number', nameless()],
    ['a topic longer than its frame', Buffer.from([0x30, 3, 0, 200, 65])],
  ]
  for (const [what, frame] of bad) {
    const { socket } = await speaking(t, broker)
    const gone = closed(socket)
    socket.write(frame)
    await gone
    t.pass(what)
  }
  const heard = await reportsOf(broker)
  const { say } = await speaking(t, broker)
  await say(publishOf(1, 1))
  t.equal(heard.length, 1, 'the next client is read as if nothing had been')
})

t.test('versions: 3.1 and 3.1.1, and 5 is told so', async (t) => {
  const broker = await testBroker(t)
  const later = connectAsync(`mqtt://127.0.0.1:${broker.port}`, {
    clientId: 'pi-1',
    protocolVersion: 5,
    reconnectPeriod: 0,
  })
  await t.rejects(later, { code: 1 })
  const heard = await reportsOf(broker)
  for (const [protocolId, protocolVersion] of [
    ['MQIsdp', 3],
    ['MQTT', 4],
  ] as const) {
    const client = await connectDevice(t, broker.port, 'pi-1', { protocolId, protocolVersion })
    await client.publishAsync(REPORTS, 'x', { qos: 1 })
    await client.endAsync()
  }
  t.equal(heard.length, 2)
})

t.test('whoever takes something of what it is sent stays, however long it takes', async (t) => {
  const limits = { drainTimeoutMs: 600, inflightBytesPerClient: 2 ** 30 }
  const broker = await testBroker(t, { limits })
  const socket = await frozenDevice(t, broker.port, 'pi-1')
  const to = { fleet: 'default', device: 'pi-1', channel: 'blocks' } as const
  const block = Buffer.alloc(64 * 1024)
  const sends = Array.from({ length: 640 }, () => broker.publishToClient(to, block))
  let bytes = 0
  socket.on('data', (chunk) => {
    bytes += chunk.length
  })
  socket.pause()
  const sip = setInterval(() => {
    socket.resume()
    setTimeout(() => socket.pause(), 5)
  }, 100)
  t.teardown(() => clearInterval(sip))
  await Promise.all(sends)
  t.notOk(socket.destroyed)
  socket.resume()
  await until(() => bytes >= 640 * block.length)
})

const run = promisify(execFile)
const mosquitto = await run('mosquitto_pub', ['--version']).then(
  () => false,
  (error: NodeJS.ErrnoException) => error.code === 'ENOENT' && 'mosquitto_pub is not installed',
)

t.test(
  'a client of somebody else’s: mosquitto_pub and mosquitto_sub',
  { skip: mosquitto },
  async (t) => {
    const broker = await testBroker(t)
    const heard = await reportsOf(broker)
    const at = ['-h', '127.0.0.1', '-p', String(broker.port), '-i', 'default/pi-1']
    for (const qos of ['0', '1', '2'])
      await run('mosquitto_pub', [...at, '-t', REPORTS, '-q', qos, '-m', `of ${qos}`])
    await until(() => heard.length === 3)
    t.same(heard, ['of 0', 'of 1', 'of 2'])
    const orders = topicOf('pi-1', 'orders')
    const hears = run('mosquitto_sub', [...at, '-t', orders, '-q', '1', '-C', '2', '-W', '20'])
    const to = { fleet: 'default', device: 'pi-1', channel: 'orders' } as const
    const send = (text: string) => broker.publishToClient(to, Buffer.from(text))
    // Until it has subscribed.
    while (!(await isSent(send('first')))) await new Promise((resolve) => setTimeout(resolve, 5))
    await send('x'.repeat(5_000))
    t.equal((await hears).stdout, `first\n${'x'.repeat(5_000)}\n`)
  },
)

function isSent(sending: Promise<void>): Promise<boolean> {
  return sending.then(
    () => true,
    () => false,
  )
}

async function reportsOf(broker: Broker): Promise<string[]> {
  const heard: string[] = []
  await broker.subscribe('default', 'reports', (_topic, bytes) =>
    heard.push(Buffer.from(bytes).toString()),
  )
  return heard
}

/** A client of frames: what it says is dealt with when `say` resolves. */
async function speaking(t: Test, broker: Broker) {
  const socket: Socket = await rawSocket(t, broker.port)
  const reader = parser({ protocolVersion: 4 })
  const heard: Packet[] = []
  reader.on('packet', (packet) => heard.push(packet))
  socket.on('data', (bytes) => reader.parse(bytes))
  socket.write(connectPacket('pi-1'))
  await until(() => heard.length === 1)
  heard.length = 0
  const isPong = ({ cmd }: Packet) => cmd === 'pingresp'
  return {
    socket,
    async say(...packets: Packet[]) {
      heard.length = 0
      socket.write(
        Buffer.concat([...packets, { cmd: 'pingreq' } as Packet].map((one) => generate(one))),
      )
      await until(() => heard.some(isPong))
    },
    answers: () =>
      heard.filter((packet) => !isPong(packet)).map(({ cmd, messageId }) => `${cmd} ${messageId}`),
  }
}

function publishOf(qos: 0 | 1 | 2, messageId: number): Packet {
  return { cmd: 'publish', topic: REPORTS, payload: 'x', qos, messageId, retain: false, dup: false }
}

function subscribeOf(...topics: string[]): Packet {
  const subscriptions = topics.map((topic) => ({ topic, qos: 0 }))
  return { cmd: 'subscribe', messageId: 1, subscriptions } as Packet
}

/** The topic, and then the frame ends. */
function nameless(): Buffer {
  const topic = Buffer.from(REPORTS)
  return Buffer.concat([Buffer.from([0x32, topic.length + 2, 0, topic.length]), topic])
}
