import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import t from 'tap'

/** Leaves in a process that has nothing else to wait for, as an agent at its end. */
const LEAVER = `
import { connectAsync } from 'mqtt'
import { leaveBroker } from ${JSON.stringify(new URL('../../../shared/leave-broker.js', import.meta.url).href)}
const client = await connectAsync(process.env.BROKER, { reconnectPeriod: 0, protocolVersion: 4 })
client.on('error', () => {})
client.publish('unanswered', 'x', { qos: 1 }, () => {})
await leaveBroker(client, () => new Promise((resolve) => client.publish('death', 'y', { qos: 1 }, resolve)), 500)
console.log('left')
`

const CONNECT = 1
const PUBLISH = 3

/** What a broker does that lets clients in and then takes no word of theirs, or is gone at the last one. */
const BROKERS: Readonly<Record<string, (socket: Socket) => void>> = {
  'is silent': () => {},
  'is gone': (socket) => socket.destroy(),
  'hangs up': (socket) => socket.end(),
}

for (const [what, atLastWord] of Object.entries(BROKERS)) {
  t.test(`who leaves a broker that ${what} ends in order`, async (t) => {
    let publishes = 0
    const broker = createServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', (data) => {
        for (const type of packetTypes(data)) {
          if (type === CONNECT) socket.write(Buffer.from([0x20, 2, 0, 0]))
          if (type === PUBLISH) publishes += 1
        }
        if (publishes === 2) atLastWord(socket)
      })
    })
    broker.listen(0, '127.0.0.1')
    await once(broker, 'listening')
    t.teardown(() => broker.close())
    const { port } = broker.address() as AddressInfo
    const child = spawn(process.execPath, ['--input-type=module', '-e', LEAVER], {
      env: { ...process.env, BROKER: `mqtt://127.0.0.1:${port}` },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
    const [code] = await once(child, 'close')
    t.same({ code, said }, { code: 0, said: 'left\n' })
  })
}

/** Of the packets in a chunk that begins with one (MQTT 3.1.1 §2.2). */
function packetTypes(data: Buffer): number[] {
  const types: number[] = []
  for (let at = 0; at < data.length; ) {
    types.push((data[at] ?? 0) >> 4)
    // All of this test are shorter than 128 bytes.
    at += 2 + (data[at + 1] ?? 0)
  }
  return types
}
