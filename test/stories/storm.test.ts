import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { connectPlanner } from '../../planner/api/index.ts'
import { parseTrustPin } from '../../shared/trust/index.ts'
import { freePort } from '../free-port.ts'
import { boardFacts } from '../simulate/boards.ts'
import { Crowd } from '../simulate/crowd.ts'
import { simulateSettings } from '../simulate/settings.ts'
import { Program } from '../soak/program.ts'
import { until } from './running.ts'

t.setTimeout(600_000)

const DEVICES = 1_000

/** Broker and planner in one process, so an outage of it is one of both: nobody's session is left, and all come at once. */
t.test('after an outage 1,000 devices come back at once', async (t) => {
  const dir = join(t.testdir({}), 'fleet')
  mkdirSync(dir)
  const data = join(dir, 'planner')
  const port = await freePort()
  const program = new Program('planner', 'planner', dir, () => [
    ...['serve', '--insecure-loopback', '--port', `${port}`, '--data', data],
  ])
  t.teardown(async () => {
    program.kill('SIGKILL')
    await program.ended
  })
  program.start('')
  const client = connectPlanner(data)
  const info = () => until('a planner that answers', () => client.call('planner.info', {}))
  const { fleet, trust } = await info()
  const settings = simulateSettings(['--devices', `${DEVICES}`, '--connecting', '200'])
  const crowd = new Crowd({
    ...{ settings, fleet, samples: 1, dir: join(dir, 'devices') },
    broker: { host: '127.0.0.1', port },
    anchor: parseTrustPin(trust),
    boards: await boardFacts(4, dir),
  })
  t.teardown(() => crowd.close())
  await crowd.connect()
  const { ledger, devices } = crowd
  t.equal(devices.filter(({ isUp }) => isUp).length, DEVICES)

  program.kill('SIGKILL')
  await program.ended
  await until('nobody to be connected', async () => {
    return devices.every(({ isUp }) => !isUp) ? true : undefined
  })
  const before = ledger.birthsReceipted
  program.start('')
  await info()
  const answered: number[] = []
  // Operators are answered while all come back, and each birth has its receipt in the end.
  await until('every birth to have its receipt', async () => {
    const asked = performance.now()
    await client.call('devices.list', { limit: 10 })
    answered.push(performance.now() - asked)
    return ledger.birthsReceipted - before >= DEVICES && devices.every(({ isUp }) => isUp)
      ? true
      : undefined
  })
  t.ok(answered.length > 0, 'operators were answered meanwhile')
  t.comment(`operators waited ${Math.round(Math.max(...answered))} ms at most`)
  await until('all to be online', async () => {
    const { total } = await client.ask('devices.list', { state: 'online', limit: 1 })
    return total === DEVICES ? true : undefined
  })
  t.pass('the planner knows all of them as online')
  t.equal(ledger.unreadable, 0)
})
