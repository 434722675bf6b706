import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { Aedes } from 'aedes'
import type { ArtifactRef } from '../../shared/artifact.ts'
import {
  BLOCK_BYTES,
  blockCount,
  printBlockFrame,
  printMessage,
  printMissing,
  printTopic,
} from '../../shared/messages/index.ts'
import { type BenchRow, median } from './bench.ts'
import type { Round } from './fan-out-devices.ts'

const DEVICES = 100
const ROUNDS = 5
const TOPIC = 'blocks'

interface Measured {
  readonly seconds: number
  /** Of this process, which holds broker and planner. */
  readonly processorSeconds: number
}

/**
 * Many devices that want one artifact at one time, held against what the broker alone does with the same bytes: publishing
 * each block once to a topic that all subscribe to. In turns, the middle of five; who receives is another process.
 */
export async function measureFanOut(
  brokerPort: number,
  artifact: ArtifactRef,
): Promise<readonly BenchRow[]> {
  const child = fork(new URL('./fan-out-devices.js', import.meta.url))
  const planner: Measured[] = []
  const broker: Measured[] = []
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      planner.push(await wanted(child, brokerPort, artifact, round))
      broker.push(await published(child, artifact.bytes))
    }
  } finally {
    child.kill()
  }
  const bytes = DEVICES * artifact.bytes
  const figure = (runs: readonly Measured[], of: (run: Measured) => number) =>
    bytes / 1e6 / median(runs.map(of))
  const row = (name: string, of: (run: Measured) => number, unit: string): BenchRow => {
    const ratio = figure(planner, of) / figure(broker, of)
    return {
      name: `1 MiB to ${DEVICES} devices at once, ${name}`,
      measured: `${figure(planner, of).toFixed(0)} ${unit}`,
      baseline: `Aedes alone ${figure(broker, of).toFixed(0)} ${unit}`,
      ratio,
      goal: '≥ 50 %',
      met: ratio >= 0.5,
    }
  }
  return [
    row('by the wall', ({ seconds }) => seconds, 'MB/s'),
    row('by processor time', ({ processorSeconds }) => processorSeconds, 'MB a second of it'),
  ]
}

/** Each device asks for all blocks at once. */
function wanted(
  child: ChildProcess,
  port: number,
  { digest, bytes }: ArtifactRef,
  round: number,
): Promise<Measured> {
  const blocks = Array.from({ length: blockCount(bytes) }, (_, index) => index)
  const names = Array.from({ length: DEVICES }, (_, i) => `fan-${round}-${i}`)
  const want = {
    v: 1,
    id: 'w',
    artifact: digest,
    from: 0,
    missing: printMissing(0, blocks),
  } as const
  const payload = printMessage('want', { ...want, credit: bytes }).toString()
  const topicOf = (device: string, channel: 'blocks' | 'want') =>
    printTopic({ fleet: 'default', device, channel })
  return play(child, {
    port,
    bytes,
    clients: names.map((name) => ({ id: `default/${name}`, topic: topicOf(name, 'blocks') })),
    says: names.map((name) => ({ topic: topicOf(name, 'want'), payload })),
  })
}

/** The same frames, one after another, to everybody. */
async function published(child: ChildProcess, bytes: number): Promise<Measured> {
  const aedes = await Aedes.createBroker()
  const server = createServer({ noDelay: true }, (socket) => aedes.handle(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const clients = Array.from({ length: DEVICES }, (_, i) => ({ id: `all-${i}`, topic: TOPIC }))
  const block = Buffer.alloc(BLOCK_BYTES)
  const publish = async () => {
    for (let index = 0; index < blockCount(bytes); index += 1) {
      const payload = printBlockFrame('0'.repeat(64), index, block)
      const packet = {
        cmd: 'publish',
        topic: TOPIC,
        payload,
        qos: 0,
        retain: false,
        dup: false,
      } as const
      await new Promise<void>((resolve, reject) => {
        aedes.publish(packet, (error) => (error ? reject(error) : resolve()))
      })
    }
  }
  const { port } = server.address() as AddressInfo
  const measured = await play(child, { port, bytes, clients }, publish)
  await new Promise<void>((resolve) => aedes.close(() => resolve()))
  server.close()
  return measured
}

async function play(
  child: ChildProcess,
  round: Round,
  begin: () => Promise<void> = async () => {},
): Promise<Measured> {
  const next = async () => {
    const heard = new AbortController()
    const [message] = await Promise.race(
      ['message', 'exit'].map((event) => once(child, event, { signal: heard.signal })),
    )
    heard.abort()
    if (typeof message !== 'string') throw new Error(`the devices ended with ${message}`)
  }
  child.send(round)
  await next()
  const from = performance.now()
  const before = process.cpuUsage()
  child.send('go')
  const done = next()
  await begin()
  await done
  const { user, system } = process.cpuUsage(before)
  return { seconds: (performance.now() - from) / 1e3, processorSeconds: (user + system) / 1e6 }
}
