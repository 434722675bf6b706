import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { TLSSocket, connect as tlsConnect } from 'node:tls'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { joinFleet } from '../../../agent/identity/join.ts'
import { renewIdentity } from '../../../agent/identity/renew.ts'
import { ACCESS } from '../../../broker/index.ts'
import { openOutsideBroker } from '../../../planner/cli/serve/outside-broker.ts'
import { type RunningPlanner, startPlanner } from '../../../planner/cli/serve/planner-process.ts'
import { openAuthority, type Subject } from '../../../planner/identity/index.ts'
import { devices } from '../../../planner/storage/index.ts'
import { printJoinTopic, printTopic } from '../../../shared/messages/topics.ts'
import { MAIN } from '../../agent/agent-process.ts'
import { credentialsFrom } from '../../broker/tls-broker.ts'
import { TestClock } from '../../clock.ts'
import { freePort } from '../../free-port.ts'
import { killChild } from '../../kill-child.ts'
import { fitment } from '../cli/run-fitment.ts'
import { listening, withoutMosquitto } from './brokers.ts'

/** Mosquitto as fitment sets it up: `fitment broker export-mosquitto`, and a real one started on what it wrote. */
const skip = withoutMosquitto()
const log = pino({ level: process.env.FITMENT_TEST_LOG ?? 'silent' }, pino.destination(2))

interface Ground {
  readonly planner: RunningPlanner
  readonly data: string
  readonly dir: string
  readonly port: number
  readonly joinPort: number
  /** Exports and starts Mosquitto on it. */
  launch(): Promise<void>
  stop(): Promise<void>
}

async function groundOf(t: Test): Promise<Ground> {
  const data = join(t.testdir({}), 'planner')
  const dir = join(data, 'mosquitto')
  const [port, joinPort] = [await freePort(), await freePort()]
  const url = (to: number) => `mqtts://127.0.0.1:${to}`
  const planner = await startPlanner({
    data,
    database: undefined,
    fleet: 'default',
    profiles: undefined,
    settings: {},
    log,
    outside: { broker: url(port), joinBroker: url(joinPort) },
    connect: (identity) =>
      openOutsideBroker(identity, { url: url(port), fleet: 'default', log, mosquitto: dir }),
  })
  let broker: ChildProcess | undefined
  const stop = () => killChild(broker)
  t.teardown(async () => {
    await planner.close()
    await stop()
  })
  return {
    planner,
    data,
    dir,
    port,
    joinPort,
    stop,
    async launch() {
      const to = ['--name', '127.0.0.1', '--port', `${port}`, '--join-port', `${joinPort}`]
      const { code, err } = await fitment('broker', 'export-mosquitto', dir, '--data', data, ...to)
      if (code !== 0) throw new Error(err)
      // One who sees and says everything, for the test.
      appendFileSync(join(dir, 'access.acl'), '\nuser watcher\ntopic readwrite #\n')
      // Started by root it would become a user that cannot read its key.
      if (process.getuid?.() === 0) appendFileSync(join(dir, 'mosquitto.conf'), 'user root\n')
      const quiet = ['ignore', 'ignore', 'ignore'] as const
      broker = spawn('mosquitto', ['-c', 'mosquitto.conf'], { cwd: dir, stdio: [...quiet] })
      await listening(port)
      await listening(joinPort)
    },
  }
}

async function enter(
  t: Test,
  { data, port, joinPort }: Ground,
  name: Subject | null,
  clientId: string,
  username?: string,
): Promise<MqttClient> {
  const authority = await openAuthority(join(data, 'identity'), () => new Date())
  const clock = new TestClock()
  const own: IClientOptions = name ? await credentialsFrom(authority, name, clock) : {}
  const client = await connectAsync(`mqtts://127.0.0.1:${name ? port : joinPort}`, {
    ca: authority.pem,
    clientId,
    reconnectPeriod: 0,
    ...(username !== undefined && { username }),
    ...own,
  })
  client.on('error', () => {})
  // Else every word waits for the acknowledgement of the one before.
  if (client.stream instanceof TLSSocket) client.stream.setNoDelay(true)
  t.teardown(() => client.end(true))
  return client
}

const client = (device: string): Subject => ({
  use: 'client',
  name: { role: 'device', fleet: 'default', device },
})

const CHANNELS = ['birth', 'death', 'orders', 'reports', 'want', 'blocks'] as const
const JOINS = ['request', 'answer'] as const

interface Place {
  readonly topic: string
  /** Who the topic belongs to, and which column of the access table says what may be done with it. */
  readonly owner: 'own' | 'other' | 'nobody'
  readonly channel?: keyof typeof ACCESS.device
}

const PLACES: readonly Place[] = [
  ...(['own', 'other'] as const).flatMap((device) => [
    ...CHANNELS.map((channel) => ({
      topic: printTopic({ fleet: 'default', device, channel }),
      owner: device,
      channel,
    })),
    ...JOINS.map((channel) => ({
      topic: printJoinTopic({ fleet: 'default', joiner: device, channel }),
      owner: device,
      channel,
    })),
  ]),
  { topic: 'fit/1/elsewhere/d/own/birth', owner: 'nobody' },
  { topic: 'fit/1/elsewhere/d/own/orders', owner: 'nobody' },
  { topic: 'fit/1/default/d/own', owner: 'nobody' },
  { topic: 'fit/1/default/d/own/birth/deeper', owner: 'nobody' },
  { topic: 'home/lamp', owner: 'nobody' },
]

t.test('Mosquitto: role × topic × action, as the access table says', { skip }, async (t) => {
  const ground = await groundOf(t)
  await ground.launch()
  // The planner's own connection has the planner's name; this test speaks under it.
  await ground.planner.close()
  const watcher = await enter(t, ground, client('watcher'), 'w')
  const seen = new Set<string>()
  watcher.on('message', (topic) => seen.add(topic))
  await watcher.subscribeAsync('#', { qos: 1 })
  const planner: Subject = { use: 'client', name: { role: 'planner', fleet: 'default' } }
  const roles = {
    device: {
      client: await enter(t, ground, client('own'), 'whatever'),
      says: 'd/own/birth',
      hears: 'd/own/orders',
    },
    planner: {
      client: await enter(t, ground, planner, 'p'),
      says: 'd/own/orders',
      hears: 'd/own/birth',
    },
    bootstrap: {
      client: await enter(t, ground, null, 'join:default:own'),
      says: 'join/join:default:own/request',
      hears: 'join/join:default:own/answer',
    },
  } as const
  for (const [role, { client: speaker, says, hears }] of Object.entries(roles)) {
    const heard = new Set<string>()
    speaker.on('message', (topic) => heard.add(topic))
    await speaker.subscribeAsync(['#', '$SYS/#'], { qos: 1 })
    for (const place of PLACES) {
      const rules = place.channel ? ACCESS[role as keyof typeof ACCESS][place.channel] : []
      const isTheirs = place.owner === 'own' || (role === 'planner' && place.owner === 'other')
      const [mayPublish, mayHear] = [rules.includes('publish'), rules.includes('subscribe')]
      const sentinel = `fit/1/default/${says}`
      seen.clear()
      await speaker.publishAsync(place.topic, 'x', { qos: 1 })
      if (place.topic !== sentinel) await speaker.publishAsync(sentinel, 'x', { qos: 1 })
      await until(() => seen.has(sentinel))
      t.equal(seen.has(place.topic), mayPublish && isTheirs, `${role} publishes ${place.topic}`)
      heard.clear()
      await watcher.publishAsync(place.topic, 'x', { qos: 1 })
      await watcher.publishAsync(`fit/1/default/${hears}`, 'x', { qos: 1 })
      await until(() => heard.has(`fit/1/default/${hears}`))
      const isSentinel = place.topic === `fit/1/default/${hears}`
      t.equal(
        heard.has(place.topic),
        (mayHear && isTheirs) || isSentinel,
        `${role} hears ${place.topic}`,
      )
    }
    t.notOk(
      [...heard].some((topic) => topic.startsWith('$SYS')),
      `${role} hears nothing of the broker itself`,
    )
  }
  await t.rejects(enter(t, ground, { use: 'server', names: [] }, 'x'), 'a server’s certificate')

  // Where no certificate is asked for, anybody may call himself what he likes.
  for (const username of ['planner:default', 'own', 'watcher']) {
    const liar = await enter(t, ground, null, `join:default:${username.length}`, username)
    const heard: string[] = []
    liar.on('message', (topic) => heard.push(topic))
    await liar.subscribeAsync('#', { qos: 1 })
    seen.clear()
    for (const { topic } of PLACES) await liar.publishAsync(topic, 'x', { qos: 1 })
    t.strictSame([...seen], [], `the user name ${username} says nothing`)
    for (const { topic } of PLACES) await watcher.publishAsync(topic, 'x', { qos: 1 })
    const answer = printJoinTopic({
      fleet: 'default',
      joiner: username.length.toString(),
      channel: 'answer',
    })
    await watcher.publishAsync(answer, 'x', { qos: 1 })
    await until(() => heard.includes(answer))
    t.strictSame(heard, [answer], `the user name ${username} hears nothing`)
  }
  t.ok(roles.device.client.connected)

  await t.test('a CONNECT of 200 MB is closed before anybody is known, and not kept', async (t) => {
    const { pem: ca } = await openAuthority(join(ground.data, 'identity'), () => new Date())
    const socket = tlsConnect({ host: '127.0.0.1', port: ground.joinPort, ca })
    socket.on('error', () => {})
    await once(socket, 'secureConnect')
    const closed = once(socket, 'close')
    // Fixed header, length 200,000,000, and the protocol's name; then whatever it takes.
    socket.write(
      Buffer.from([0x10, 0x80, 0x84, 0xaf, 0x5f, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 60]),
    )
    while (!socket.destroyed && socket.write(Buffer.alloc(65_536))) await setImmediate()
    await closed
    const pid = readFileSync(join(ground.dir, 'mosquitto.pid'), 'utf8').trim()
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const resident = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1])
    t.ok(resident < 64 * 1024, `${resident} kB resident`)
  })
})

t.test('Mosquitto: a device joins, works, renews, and is out when revoked', { skip }, async (t) => {
  const ground = await groundOf(t)
  await ground.launch()
  const { planner, data } = ground
  const { context } = planner.conductor
  const invited = await fitment(
    'devices',
    'invite',
    '--device',
    'press-1',
    '--data',
    data,
    '--json',
  )
  const { token } = JSON.parse(invited.out)
  const stateDir = join(data, 'device')
  const identity = await joinFleet({ token, device: undefined, stateDir, timeoutMs: 30_000 })
  t.match(identity, {
    broker: `mqtts://127.0.0.1:${ground.port}`,
    door: `mqtts://127.0.0.1:${ground.joinPort}`,
  })
  const agent = spawn(
    process.execPath,
    [MAIN, 'run', '--state-dir', stateDir, '--log-level', 'silent'],
    { stdio: 'ignore' },
  )
  t.teardown(async () => {
    agent.kill('SIGTERM')
    if (agent.exitCode === null) await once(agent, 'close')
  })
  await untilAsync(() => devices.isOnline(context.db, 'press-1'))
  const renewed = await renewIdentity(stateDir, 30_000)
  t.not(renewed.certificate, identity.certificate, 'renewed through the door')

  const authority = await openAuthority(join(data, 'identity'), () => new Date())
  const { certificate: cert, key } = renewed
  const withIt = () =>
    connectAsync(identity.broker, {
      ...{ ca: authority.pem, cert, key, clientId: 'x' },
      reconnectPeriod: 0,
      connectTimeout: 10_000,
    })
  await fitment('devices', 'revoke', 'press-1', '--data', data)
  await untilAsync(async () => !(await devices.isOnline(context.db, 'press-1')))
  t.pass('its live connection ended: the agent, which would come back, does not')
  const again = withIt()
  await t.rejects(again, 'the revoked certificate is not believed')
  await t.rejects(renewIdentity(stateDir, 30_000), { code: 'certificate-revoked' })
})

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}

async function untilAsync(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50))
}
