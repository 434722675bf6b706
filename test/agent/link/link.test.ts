import { createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { readReport } from '../../../agent/inventory/index.ts'
import { DeviceLink, parseEndpoint } from '../../../agent/link/index.ts'
import { newId } from '../../../shared/ids.ts'
import type { Birth, Epoch, HeardOrder } from '../../../shared/messages/index.ts'
import { driverOf, eventually, QUICK_BACKOFF } from '../device.ts'
import { FLEET, PlannerDriver } from '../planner-driver.ts'
import { log } from '../quiet-log.ts'

async function birthOf(epoch: Epoch): Promise<Birth> {
  const report = await readReport({ stateDir: '/tmp' })
  return {
    v: 1,
    id: newId(),
    epoch,
    agentVersion: 'test',
    report,
    runtimes: [],
    memoryLimitBytes: null,
    slots: [],
    roots: { director: 0, image: 0 },
  }
}

/** No broker of these tests is so slow, however busy the machine: a connection given up would be another birth. */
const PATIENT_MS = 60_000

function linkTo(
  t: Test,
  url: string,
  answerMs = PATIENT_MS,
): { link: DeviceLink; orders: HeardOrder[] } {
  const orders: HeardOrder[] = []
  const link = new DeviceLink({
    endpoint: parseEndpoint(url),
    fleet: FLEET,
    device: 'd1',
    start: 'start',
    backoff: QUICK_BACKOFF,
    answerMs,
    log,
    birth: birthOf,
    onOrder: (order) => orders.push(order),
  })
  t.teardown(() => link.close())
  link.start()
  return { link, orders }
}

t.test(
  'birth on every connection, each an epoch of its own; death only for the one that ended',
  async (t) => {
    const driver = await driverOf(t)
    const { link } = linkTo(t, driver.url)
    await driver.until(() => driver.births[0])
    driver.cut()
    await driver.until(() => driver.births[1])
    t.same(
      driver.births.map(({ epoch }) => epoch),
      [1, 2].map((connection) => ({ start: 'start', connection })),
    )
    await driver.until(() => driver.deaths[0])
    await link.close()
    await driver.until(() => driver.deaths[1])
    t.same(
      driver.deaths.map(({ epoch }) => epoch.connection),
      [1, 2],
      'the will, then the farewell, and no will after a farewell',
    )
  },
)

t.test('a birth is said again when the planner asks, in the same epoch', async (t) => {
  const driver = await driverOf(t)
  const { orders, link } = linkTo(t, driver.url)
  await driver.until(() => driver.births[0])
  await driver.send('d1', { v: 1, id: 'again', kind: 'rebirth' })
  await eventually(() => orders.length === 1)
  await link.rebirth()
  await driver.until(() => driver.births[1])
  t.same(driver.births[1]?.epoch, driver.births[0]?.epoch)
})

t.test('a broker that is gone for a while is found again', async (t) => {
  const first = await PlannerDriver.start()
  const { link } = linkTo(t, first.url)
  await first.until(() => first.births[0])
  const port = await first.stop()
  await eventually(() => !link.connected)
  const second = await PlannerDriver.start({ port })
  t.teardown(() => second.stop())
  t.match(await second.until(() => second.births[0]), { epoch: { start: 'start' } })
  await eventually(() => link.connected)
})

t.test('what is no message is counted, and the next order is heard', async (t) => {
  const driver = await driverOf(t)
  const { link, orders } = linkTo(t, driver.url)
  await driver.until(() => driver.births[0])
  const order = { v: 1, id: 'x', kind: 'rebirth' } as const
  const garbage: readonly Buffer[] = [
    Buffer.from('not json'),
    Buffer.from(JSON.stringify({ ...order, v: 9 })),
    Buffer.from(JSON.stringify({ ...order, kind: 'a line\nof its own' })),
    Buffer.from('['.repeat(5_000)),
    Buffer.alloc(65_600, 0x20),
    Buffer.alloc(0),
  ]
  for (const payload of garbage) await driver.sendRaw('d1', 'orders', payload)
  for (const payload of garbage) await driver.sendRaw('d1', 'blocks', payload)
  await driver.send('d1', order)
  await eventually(() => orders.length === 1)
  t.same(Object.keys(link.dropped).sort(), [
    'invalid',
    'not-json',
    'too-deep',
    'too-large',
    'unknown-version',
  ])
  t.ok(link.connected)
})

/** A broker that lets everybody in and then says what it likes. */
async function rudeBroker(
  t: Test,
  say: (socket: Socket) => void,
): Promise<{ url: string; met: () => number }> {
  let met = 0
  const server = createServer((socket) => {
    met += 1
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.write(Buffer.from([0x20, 2, 0, 0]))
      say(socket)
    })
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('a TCP server has a port')
  return { url: `mqtt://127.0.0.1:${address.port}`, met: () => met }
}

const rude: readonly { readonly name: string; readonly bytes: Buffer }[] = [
  { name: 'announces a packet of 256 MiB', bytes: Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]) },
  {
    name: 'sends a length that is no length',
    bytes: Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0xff]),
  },
  { name: 'sends noise', bytes: Buffer.from([0x4f, 0x02, 0x00, 0x01]) },
  { name: 'says nothing more', bytes: Buffer.from([0xd0, 0x00]) },
  { name: 'hangs up', bytes: Buffer.alloc(0) },
]

for (const { name, bytes } of rude) {
  t.test(`a broker that ${name} is left, and tried again`, async (t) => {
    const { url, met } = await rudeBroker(t, (socket) => {
      if (bytes.length > 0) socket.write(bytes)
      else socket.destroy()
    })
    linkTo(t, url, 200)
    await eventually(() => met() >= 3)
    t.ok(met() >= 3)
  })
}

t.test('leaving while no broker answers takes no time', async (t) => {
  const { link } = linkTo(t, 'mqtt://127.0.0.1:1')
  await new Promise((resolve) => setTimeout(resolve, 50))
  await link.close()
  t.notOk(link.connected)
})

t.test('who is put out again and again comes back less and less often', async (t) => {
  const driver = await driverOf(t)
  const pauses: unknown[] = []
  const link = new DeviceLink({
    endpoint: parseEndpoint(driver.url),
    fleet: FLEET,
    device: 'd1',
    start: 'start',
    backoff: { baseMs: 10, capMs: 80, random: () => 1 },
    answerMs: PATIENT_MS,
    log: {
      ...log,
      warn: (facts: unknown) => {
        pauses.push((facts as { pauseMs?: unknown }).pauseMs)
      },
    } as typeof log,
    birth: birthOf,
    onOrder: () => {},
  })
  t.teardown(() => link.close())
  link.start()
  for (let session = 0; session < 5; session += 1) {
    await driver.until(() => driver.births[session])
    await eventually(() => link.connected)
    driver.cut()
  }
  await driver.until(() => driver.births[5])
  t.same(pauses, [10, 20, 40, 80, 80])
})
