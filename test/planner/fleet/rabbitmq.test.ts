import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { pino } from 'pino'
import t from 'tap'
import { joinFleet } from '../../../agent/identity/join.ts'
import { openOutsideBroker } from '../../../planner/cli/serve/outside-broker.ts'
import { startPlanner } from '../../../planner/cli/serve/planner-process.ts'
import { openAuthority, type Subject } from '../../../planner/identity/index.ts'
import { devices } from '../../../planner/storage/index.ts'
import { printJoinTopic, printTopic } from '../../../shared/messages/topics.ts'
import { MAIN } from '../../agent/agent-process.ts'
import { credentialsFrom } from '../../broker/tls-broker.ts'
import { TestClock } from '../../clock.ts'
import { freePort } from '../../free-port.ts'
import { fitment } from '../cli/run-fitment.ts'
import { rabbitmqNode, withoutRabbitmq } from './brokers.ts'

const skip = withoutRabbitmq()
const log = pino({ level: process.env.FITMENT_TEST_LOG ?? 'silent' }, pino.destination(2))
t.setTimeout(400_000)

t.test(
  'RabbitMQ as fitment sets it up: a device joins and works, and has its own topics only',
  { skip },
  async (t) => {
    const data = join(t.testdir({}), 'planner')
    const dir = join(data, 'rabbitmq')
    const port = await freePort()
    const url = `mqtts://127.0.0.1:${port}`
    const planner = await startPlanner({
      ...{ data, database: undefined, fleet: 'default', profiles: undefined, settings: {}, log },
      outside: { broker: url, joinBroker: url },
      connect: (identity) => openOutsideBroker(identity, { url, fleet: 'default', log }),
    })
    t.teardown(() => planner.close())
    const names = ['press-1', 'press-1.left', 'pressx1']
    const tokens: string[] = []
    for (const name of names) {
      const { out } = await fitment('devices', 'invite', '--device', name, '--data', data, '--json')
      tokens.push(JSON.parse(out).token)
    }
    const to = ['--name', '127.0.0.1', '--port', `${port}`]
    const { code, err, out } = await fitment(
      'broker',
      'export-rabbitmq',
      dir,
      '--data',
      data,
      ...to,
    )
    t.equal(code, 0, err)
    t.match(out, /with 2 devices/)
    t.match(err, /cannot use it: press-1[.]left/, 'a dot would be one level more')
    const settings = join(dir, 'rabbitmq.conf')
    // A port of its own: another node may have the usual one.
    appendFileSync(settings, `listeners.tcp.local = 127.0.0.1:${await freePort()}\n`)
    const [plugins, advanced] = [join(dir, 'enabled_plugins'), join(dir, 'advanced.config')]
    const node = await rabbitmqNode(t, { settings, plugins, advanced, port })
    await node.start()

    const stateDir = join(data, 'device')
    const timeoutMs = 60_000
    const identity = await joinFleet({
      token: tokens[0] ?? '',
      device: undefined,
      stateDir,
      timeoutMs,
    })
    t.match(identity, { broker: url })
    const args = [MAIN, 'run', '--state-dir', stateDir, '--log-level', 'silent']
    const agent = spawn(process.execPath, args, { stdio: 'ignore' })
    t.teardown(async () => {
      agent.kill('SIGKILL')
      if (agent.exitCode === null && agent.signalCode === null) await once(agent, 'close')
    })
    const { db } = planner.conductor.context
    while (!(await devices.isOnline(db, 'press-1'))) await sleep(100)
    t.pass('its birth came through')

    const authority = await openAuthority(join(data, 'identity'), () => new Date())
    const enter = async (name: Subject | null, clientId: string, over: IClientOptions = {}) => {
      const own = name ? await credentialsFrom(authority, name, new TestClock()) : {}
      const client = await connectAsync(url, {
        ...{ ca: authority.pem, clientId, reconnectPeriod: 0, connectTimeout: 20_000 },
        ...own,
        ...over,
      })
      client.on('error', () => {})
      t.teardown(() => client.end(true))
      return client
    }
    const named = (device: string): Subject => ({
      use: 'client',
      name: { role: 'device', fleet: 'default', device },
    })
    const topic = (device: string, channel: 'birth' | 'orders' | 'reports') =>
      printTopic({ fleet: 'default', device, channel })
    const watcher = await enter(
      { use: 'client', name: { role: 'planner', fleet: 'default' } },
      'watcher',
    )
    const heard: string[] = []
    watcher.on('message', (place, text) => heard.push(`${place} ${text}`))
    await watcher.subscribeAsync(['fit/1/default/d/+/birth', 'fit/1/default/d/+/reports'], {
      qos: 1,
    })

    await t.test('a device says on its own topics, and nobody else’s', async (t) => {
      // What is denied closes the connection: a session for each.
      const tries: readonly [string, string, boolean][] = [
        ['pressx1', topic('press-1', 'birth'), false],
        ['press-1', topic('press-1', 'orders'), false],
        ['pressx1', topic('press-1', 'reports'), false],
        ['pressx1', topic('pressx1', 'orders'), false],
        ['pressx1', topic('pressx1', 'reports'), true],
      ]
      const honest = await enter(named('press-1'), 'honest')
      const sentinel = topic('press-1', 'reports')
      for (const [device, place, isAllowed] of tries) {
        heard.length = 0
        const client = await enter(named(device), `one-${device}`)
        await quietly(client.publishAsync(place, 'x', { qos: 1 }))
        await client.endAsync(true)
        await honest.publishAsync(sentinel, 'sentinel', { qos: 1 })
        while (!heard.includes(`${sentinel} sentinel`)) await sleep(20)
        t.equal(heard.includes(`${place} x`), isAllowed, `${device} says ${place}`)
      }
    })

    await t.test('a device hears its own orders, and nobody else’s', async (t) => {
      t.ok(await hears(enter, named('pressx1'), topic('pressx1', 'orders'), watcher))
      t.notOk(await hears(enter, named('pressx1'), topic('press-1', 'orders'), watcher))
      t.notOk(
        await hears(
          enter,
          named('pressx1'),
          'fit/1/default/d/+/orders',
          watcher,
          topic('press-1', 'orders'),
        ),
      )
      t.notOk(await hears(enter, named('pressx1'), '#', watcher, topic('press-1', 'orders')))
    })

    await t.test(
      'without a certificate one may ask for one, whatever one calls oneself',
      async (t) => {
        for (const clientId of ['join:default:x', ')$|^(.*']) {
          const answer = printJoinTopic({ fleet: 'default', joiner: 'x', channel: 'answer' })
          t.ok(await hears((name, id) => enter(name, `${id}${clientId}`), null, answer, watcher))
          const orders = topic('press-1', 'orders')
          t.notOk(await hears((name, id) => enter(name, `${id}${clientId}`), null, orders, watcher))
          t.notOk(
            await hears((name, id) => enter(name, `${id}${clientId}`), null, '#', watcher, orders),
          )
          heard.length = 0
          const client = await enter(null, clientId)
          await quietly(client.publishAsync(topic('press-1', 'reports'), 'x', { qos: 1 }))
          await sleep(500)
          t.notOk(heard.includes(`${topic('press-1', 'reports')} x`))
        }
        for (const username of ['planner:default', 'press-1']) {
          const liar = enter(null, 'liar', { username, password: '' })
          await t.rejects(liar, `the user name ${username} opens nothing`)
        }
      },
    )

    await t.test('whom RabbitMQ no longer knows is not let in', async (t) => {
      node.ctl('delete_user', 'pressx1')
      await t.rejects(enter(named('pressx1'), 'again'))
    })
  },
)

type Enter = (name: Subject | null, clientId: string) => Promise<MqttClient>

/** Whether who subscribes to this hears what is said there. */
async function hears(
  enter: Enter,
  name: Subject | null,
  filter: string,
  speaker: MqttClient,
  place = filter,
): Promise<boolean> {
  const client = await enter(name, 'listener')
  let isHeard = false
  client.on('message', () => {
    isHeard = true
  })
  await quietly(client.subscribeAsync(filter, { qos: 1 }))
  await speaker.publishAsync(place, 'x', { qos: 1 })
  for (let look = 0; look < 30 && !isHeard; look += 1) await sleep(50)
  await client.endAsync(true)
  return isHeard
}

/** RabbitMQ closes the connection of who is denied something; a client that waits for its answer hears of none. */
async function quietly(work: Promise<unknown>): Promise<void> {
  await Promise.race([work.catch(() => {}), sleep(1_000)])
}
