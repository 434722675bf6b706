import { createRequire } from 'node:module'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { Aedes } from 'aedes'
import { connectAsync } from 'mqtt'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { sparkplugOf, startSparkplug } from '../../../planner/sparkplug/index.ts'
import { printPayload, trueIn } from '../../../planner/sparkplug/payload.ts'
import { chosenModel } from '../conductor/chosen-model.ts'
import { planner, ScriptedDevice, settle } from '../conductor/scripted-fleet.ts'

const CLASS = 'raspberry-pi-4'

interface Decoded {
  readonly timestamp: unknown
  readonly seq?: unknown
  readonly metrics: readonly {
    readonly name: string
    readonly type: string
    readonly value: unknown
  }[]
}
interface Codec {
  decodePayload(bytes: Uint8Array): Decoded
  encodePayload(payload: object): Uint8Array
}
/** Eclipse Tahu's codec. */
const tahu = createRequire(import.meta.url)('sparkplug-payload').get('spBv1.0') as Codec

interface Heard {
  readonly topic: string
  readonly kind: string
  readonly device: string | undefined
  readonly qos: number
  readonly retain: boolean
  readonly payload: Decoded
}

/** A real broker, and all that it was told. */
async function plant(t: Test) {
  const broker = await Aedes.createBroker()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    broker.handle(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const heard: Heard[] = []
  const waiting = new Set<() => void>()
  broker.on('publish', ({ topic, payload, qos, retain }) => {
    const [space, , kind = '', , device] = topic.split('/')
    if (space !== 'spBv1.0' || kind === 'NCMD') return
    heard.push({ topic, kind, device, qos, retain, payload: tahu.decodePayload(payload as Buffer) })
    for (const look of waiting) look()
  })
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
    broker.close()
  })
  const until = (holds: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!holds()) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      look()
    })
  const url = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  return { heard, until, url, cut }
}

const saidOf = ({ payload }: Heard, name: string) => {
  const value = payload.metrics.find((metric) => metric.name === name)?.value
  return typeof value === 'object' && value !== null ? Number(value) : value
}

t.test('inventory and models of a fleet, by the rules of Sparkplug B', async (t) => {
  const opened = await planner(t)
  const { context } = opened.conductor
  const press = await new ScriptedDevice('press-7', opened).join()
  const { heard, until, url, cut } = await plant(t)
  const options = { context, fleet: 'lab', settings: sparkplugOf(url, 'plant'), everyMs: 50 }
  const told = startSparkplug({ ...options, log: pino({ level: 'silent' }) })
  const births = (kind: string) => heard.filter((one) => one.kind === kind)
  await until(() => births('DBIRTH').length === 1)
  const [nbirth, dbirth] = heard as [Heard, Heard]
  t.equal(nbirth.topic, 'spBv1.0/plant/NBIRTH/fitment')
  t.equal(dbirth.topic, 'spBv1.0/plant/DBIRTH/fitment/press-7')
  t.equal(saidOf(nbirth, 'bdSeq'), 0)
  t.equal(saidOf(nbirth, 'Node Control/Rebirth'), false)
  t.equal(saidOf(dbirth, 'Inventory/Class'), CLASS)
  t.equal(saidOf(dbirth, 'Inventory/Cores'), 4)
  t.equal(saidOf(dbirth, 'Inventory/Memory bytes'), 4e9)

  const model = await chosenModel(context, CLASS, { waves: [{ share: 1 }] })
  await settle(opened)
  const [order] = await press.take('assign')
  if (order === undefined) throw new Error('nothing was assigned')
  await press.install(order, 'active')
  const slots = [{ model: 'motor', variant: order.variant, active: true }]
  await press.join({ slots })
  await until(() => births('DBIRTH').length === 2)
  const second = births('DBIRTH')[1] as Heard
  t.equal(saidOf(second, 'Models/motor/Variant'), order.variant)
  t.equal(saidOf(second, 'Models/motor/Revision'), model.revision)
  t.equal(saidOf(second, 'Models/motor/Scheme'), 'static-w8a8')
  t.equal(saidOf(second, 'Models/motor/Health/Drift'), null, 'nothing is known of it')

  await press.join({ slots, agentVersion: '9.9.9' })
  await until(() => births('DDATA').length === 1)
  t.same(
    births('DDATA')[0]?.payload.metrics.map(({ name, value }) => [name, value]),
    [['Inventory/Agent', '9.9.9']],
    'only what changed',
  )
  await press.leave()
  await until(() => births('DDEATH').length === 1)

  const operator = await connectAsync(url)
  const timestamp = Date.now()
  const rebirth = { name: 'Node Control/Rebirth', type: 'Boolean', value: true, timestamp }
  const command = Buffer.from(tahu.encodePayload({ timestamp, metrics: [rebirth] }))
  await operator.publishAsync('spBv1.0/plant/NCMD/fitment', Buffer.from('rubbish'))
  await operator.publishAsync('spBv1.0/plant/NCMD/fitment', command)
  await until(() => births('NBIRTH').length === 2)
  await operator.endAsync()
  t.equal(saidOf(births('NBIRTH')[1] as Heard, 'bdSeq'), 0, 'the same session')

  cut()
  await until(() => births('NBIRTH').length === 3)
  t.equal(saidOf(births('NDEATH')[0] as Heard, 'bdSeq'), 0, 'its will tells which birth it ends')
  t.equal(saidOf(births('NBIRTH')[2] as Heard, 'bdSeq'), 1)
  await told.close()
  await until(() => births('NDEATH').length === 2)
  t.equal(saidOf(births('NDEATH')[1] as Heard, 'bdSeq'), 1)
  t.ok(
    births('NDEATH').every(
      ({ payload, qos }) => payload.seq === undefined || payload.seq === null || qos === 1,
    ),
  )

  let expected = 0
  for (const one of heard) {
    t.equal(one.retain, false)
    if (one.kind === 'NDEATH') continue
    if (one.kind === 'NBIRTH') expected = 0
    t.equal(Number(one.payload.seq), expected % 256, `${one.kind} has its place`)
    t.equal(one.qos, 0)
    expected += 1
  }
  const again = startSparkplug({ ...options, log: pino({ level: 'silent' }) })
  await until(() => births('NBIRTH').length === 4)
  t.equal(saidOf(births('NBIRTH')[3] as Heard, 'bdSeq'), 2, 'another start is another birth')
  await again.close()
})

t.test('a broker that is away is said once, and found when it comes', async (t) => {
  const opened = await planner(t)
  const { context } = opened.conductor
  const said: string[] = []
  const log = pino(
    { level: 'warn' },
    { write: (line: string) => void said.push(JSON.parse(line).msg) },
  )
  const settings = sparkplugOf('mqtt://127.0.0.1:1', 'plant/line-a')
  const told = startSparkplug({ context, fleet: 'lab', settings, log, everyMs: 20 })
  while (said.length === 0) await new Promise((done) => setTimeout(done, 20))
  await new Promise((done) => setTimeout(done, 300))
  t.same(said, ['no Sparkplug broker at 127.0.0.1:1'])
  await told.close()
})

t.test('payloads are read by another decoder as they were meant', async (t) => {
  const metrics = new Map([
    ['whole', { type: 'Int64', value: -5 }],
    ['large', { type: 'Int64', value: 2 ** 52 }],
    ['real', { type: 'Double', value: -0.25 }],
    ['yes', { type: 'Boolean', value: true }],
    ['no', { type: 'Boolean', value: false }],
    ['text', { type: 'String', value: 'Größe <b>' }],
    ['unknown', { type: 'Double', value: null }],
  ] as const)
  const bytes = printPayload({ timestamp: 1_700_000_000_000, seq: 7, metrics })
  const { metrics: read, timestamp, seq } = tahu.decodePayload(bytes)
  t.equal(Number(timestamp), 1_700_000_000_000)
  t.equal(Number(seq), 7)
  t.same(
    read.map(({ name, type, value }) => [
      name,
      type,
      typeof value === 'object' && value !== null ? Number(value) : value,
    ]),
    [...metrics].map(([name, { type, value }]) => [name, type, value]),
  )
  t.same([...trueIn(bytes)], ['yes'])
  for (let cut = 0; cut < bytes.length; cut += 1) trueIn(bytes.subarray(0, cut))
  t.throws(() => sparkplugOf('mqtt://broker.example', 'plant'), { message: /has no TLS/ })
  t.throws(() => sparkplugOf('http://broker.example', 'plant'), { message: /is no broker/ })
  t.throws(() => sparkplugOf('mqtt://127.0.0.1', 'a/b/c'), {
    message: /is not GROUP or GROUP\/NODE/,
  })
  t.throws(() => sparkplugOf('mqtt://127.0.0.1', 'a#'), { message: /is not GROUP/ })
})
