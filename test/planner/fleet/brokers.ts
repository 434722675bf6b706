import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import tap, { type Test } from 'tap'
import {
  type Broker,
  type BrokerOptions,
  RABBITMQ_PLUGINS,
  startBroker,
} from '../../../broker/index.ts'
import type { FleetConnection } from '../../../planner/fleet/connection.ts'
import { freePort } from '../../free-port.ts'
import { killChild } from '../../kill-child.ts'

const MOSQUITTO_SETTINGS = `allow_anonymous true
set_tcp_nodelay true
message_size_limit 262144
`
const SECRET = 'only the planner knows'
/** Not the wrapper in the path, which becomes another user. */
const RABBITMQ = '/usr/lib/rabbitmq/bin'

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
  { name: 'RabbitMQ', skip: withoutRabbitmq(), endsWithPlanner: false, start: startRabbitmq },
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
  const stop = () => killChild(process)
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

/** Why it cannot be tested here; false where it can. */
export function withoutRabbitmq(): string | false {
  return !existsSync(join(RABBITMQ, 'rabbitmq-server')) && 'needs apt-get install rabbitmq-server'
}

export interface RabbitmqFiles {
  readonly settings: string
  readonly plugins: string
  readonly advanced?: string
  /** Where it shall answer. */
  readonly port: number
  /** What nodes of one cluster know each other by. */
  readonly cookie?: string
}

/** How other nodes of its cluster call it. */
export function rabbitmqName(port: number): string {
  return `fitment_${port}@localhost`
}

/** A node of its own, of settings and plugins in a folder. Erlang's port mapper is shared, and stays. */
export async function rabbitmqNode(
  t: Test,
  { settings, plugins, advanced, port, cookie }: RabbitmqFiles,
): Promise<Pick<TestBroker, 'stop'> & { start(): Promise<void>; ctl(...args: string[]): string }> {
  const dir = await mkdtemp(join(tmpdir(), 'fitment-rabbitmq-'))
  if (cookie !== undefined) await writeFile(join(dir, '.erlang.cookie'), cookie, { mode: 0o400 })
  const environment = {
    ...process.env,
    HOME: dir,
    RABBITMQ_NODENAME: rabbitmqName(port),
    RABBITMQ_MNESIA_BASE: join(dir, 'mnesia'),
    RABBITMQ_LOG_BASE: join(dir, 'log'),
    RABBITMQ_PID_FILE: join(dir, 'pid'),
    RABBITMQ_CONFIG_FILE: settings,
    RABBITMQ_ENABLED_PLUGINS_FILE: plugins,
    ...(advanced !== undefined && { RABBITMQ_ADVANCED_CONFIG_FILE: advanced }),
    RABBITMQ_DIST_PORT: `${await freePort()}`,
  }
  let node: ChildProcess | undefined
  const stop = async () => {
    if (!node || node.exitCode !== null || node.signalCode !== null) return
    const exited = new Promise((resolve) => node?.once('exit', resolve))
    // The script is a shell around the emulator: both go.
    if (node.pid !== undefined) process.kill(-node.pid, 'SIGKILL')
    await exited
    // The emulator ends a moment after its shell, and whoever reaches it until then is thrown out.
    await silent(port)
  }
  t.teardown(async () => {
    await stop()
    await rm(dir, { recursive: true, force: true })
  })
  return {
    stop,
    async start() {
      if (node && node.exitCode === null && node.signalCode === null) return
      node = spawn(join(RABBITMQ, 'rabbitmq-server'), [], {
        stdio: 'ignore',
        // What a node that is killed leaves lies there.
        cwd: dir,
        env: environment,
        detached: true,
      })
      await listening(port)
      // Plugins listen before users and permissions are read: who comes in between is sent away.
      await promisify(execFile)(join(RABBITMQ, 'rabbitmqctl'), ['await_startup'], {
        env: environment,
      })
    },
    ctl(...args) {
      const { stdout, stderr, status } = spawnSync(join(RABBITMQ, 'rabbitmqctl'), args, {
        env: environment,
        encoding: 'utf8',
        timeout: 90_000,
      })
      if (status !== 0) throw new Error(stdout + stderr)
      return stdout
    },
  }
}

/** A node takes ten seconds to start: one for all tests of a file, started again where one of them ended it. */
let shared: Promise<TestBroker> | undefined

async function startRabbitmq(): Promise<TestBroker> {
  shared ??= sharedRabbitmq()
  const broker = await shared
  await broker.restart?.()
  return broker
}

async function sharedRabbitmq(): Promise<TestBroker> {
  // The root of the tests of this file: it ends when all of them have.
  const t = tap
  const port = await freePort()
  const dir = await mkdtemp(join(tmpdir(), 'fitment-rabbitmq-settings-'))
  t.teardown(() => rm(dir, { recursive: true }))
  const [settings, plugins] = [join(dir, 'rabbitmq.conf'), join(dir, 'enabled_plugins')]
  await writeFile(
    settings,
    [
      `listeners.tcp.local = 127.0.0.1:${await freePort()}`,
      `mqtt.listeners.tcp.local = 127.0.0.1:${port}`,
      'mqtt.allow_anonymous = true',
      'mqtt.subscription_ttl = 1000',
      'mqtt.tcp_listen_options.nodelay = true',
    ].join('\n'),
  )
  await writeFile(plugins, RABBITMQ_PLUGINS)
  const node = await rabbitmqNode(t, { settings, plugins, port })
  await node.start()
  return {
    port,
    connection: { kind: 'mqtt', url: `mqtt://127.0.0.1:${port}` },
    stop: node.stop,
    restart: node.start,
  }
}

/** Resolves once somebody answers there. */
export async function listening(port: number): Promise<void> {
  while (!(await answers(port))) await new Promise((resolve) => setTimeout(resolve, 20))
}

async function silent(port: number): Promise<void> {
  while (await answers(port)) await new Promise((resolve) => setTimeout(resolve, 20))
}

function answers(port: number): Promise<boolean> {
  return new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
