import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type Broker, type BrokerOptions, startBroker } from '../../../broker/index.ts'
import type { FleetConnection } from '../../../planner/fleet/connection.ts'

const MOSQUITTO_SETTINGS = `allow_anonymous true
set_tcp_nodelay true
message_size_limit 262144
`
const SECRET = 'only the planner knows'

/** A broker that a fleet can be reached through, and how it is for tests that break it. */
export interface TestBroker {
  readonly port: number
  readonly connection: FleetConnection
  /** Goes away, with every connection. */
  stop(): Promise<void>
  /** Comes back on the same port; undefined where the connection is to the broker that went. */
  restart: (() => Promise<void>) | undefined
}

export interface BrokerKind {
  readonly name: string
  /** Why it cannot be used here. */
  readonly skip: string | false
  readonly endsWithPlanner: boolean
  start(t: Test): Promise<TestBroker>
}

export const BROKERS: readonly BrokerKind[] = [
  { name: 'embedded broker', skip: false, endsWithPlanner: true, start: startEmbedded },
  { name: 'our broker in another process', skip: false, endsWithPlanner: false, start: startApart },
  { name: 'Mosquitto', skip: withoutMosquitto(), endsWithPlanner: false, start: startMosquitto },
]

async function startEmbedded(t: Test): Promise<TestBroker> {
  const broker = await startBroker({ fleets: ['default'] })
  t.teardown(() => broker.close())
  return {
    port: broker.port,
    connection: { kind: 'embedded', broker },
    stop: () => broker.close(),
    restart: undefined,
  }
}

/** The planner's end is MQTT; that the broker shares the process with the test changes nothing. */
async function startApart(t: Test): Promise<TestBroker> {
  const options: BrokerOptions = { fleets: ['default'], plannerSecret: SECRET }
  let broker: Broker = await startBroker(options)
  const { port } = broker
  t.teardown(() => broker.close())
  return {
    port,
    connection: {
      kind: 'mqtt',
      url: `mqtt://127.0.0.1:${port}`,
      username: 'planner',
      password: SECRET,
    },
    stop: () => broker.close(),
    async restart() {
      broker = await startBroker({ ...options, port })
    },
  }
}

/** Why it cannot be tested here; false where it can. */
export function withoutMosquitto(): string | false {
  // With --help it exits 3; where there is none, there is no status.
  const { status } = spawnSync('mosquitto', ['--help'])
  return status === null && 'needs mosquitto on the PATH (apt-get install mosquitto)'
}

async function startMosquitto(t: Test): Promise<TestBroker> {
  const port = await freePort()
  // Not t.testdir, of which a test has one: the broker is to find its settings again.
  const dir = await mkdtemp(join(tmpdir(), 'fitment-mosquitto-'))
  t.teardown(() => rm(dir, { recursive: true }))
  const settings = join(dir, 'mosquitto.conf')
  await writeFile(settings, `listener ${port} 127.0.0.1\n${MOSQUITTO_SETTINGS}`)
  const launch = () => spawn('mosquitto', ['-c', settings], { stdio: 'ignore' })
  let process = launch()
  const stop = async () => {
    if (process.exitCode !== null || process.signalCode !== null) return
    const exited = new Promise((resolve) => process.once('exit', resolve))
    process.kill('SIGKILL')
    await exited
  }
  t.teardown(stop)
  await listening(port)
  return {
    port,
    connection: { kind: 'mqtt', url: `mqtt://127.0.0.1:${port}` },
    stop,
    async restart() {
      process = launch()
      await listening(port)
    },
  }
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Resolves once somebody answers there. */
export async function listening(port: number): Promise<void> {
  const answered = await new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
  if (answered) return
  await new Promise((resolve) => setTimeout(resolve, 20))
  await listening(port)
}
