import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import t from 'tap'
import { openBroker } from '../../planner/cli/serve/embedded-broker.ts'
import { startPlanner } from '../../planner/cli/serve/planner-process.ts'
import { audit, devices, rollouts } from '../../planner/storage/index.ts'
import { digestOf } from '../../shared/digest.ts'
import { MAIN } from '../agent/agent-process.ts'
import { variantOf } from '../agent/golden.ts'
import { chosenModel } from '../planner/conductor/chosen-model.ts'
import { fitment } from './command-line.ts'

/**
 * The release key lies on a stick in a drawer: a rollout waits for it, and goes on once its release was signed
 * there. Real planner, real agent, real command line.
 */
const log = pino({ level: 'silent' })

async function until<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

t.test('release key offline: the rollout waits, is signed elsewhere, and goes on', async (t) => {
  const dir = t.testdir({})
  const [data, stick, stateDir] = [join(dir, 'planner'), join(dir, 'stick'), join(dir, 'device')]
  const file = (name: string) => join(dir, name)
  const planner = await startPlanner({
    data,
    database: undefined,
    fleet: 'default',
    profiles: undefined,
    settings: {},
    log,
    connect: (identity) =>
      openBroker(identity, {
        fleet: 'default',
        host: '127.0.0.1',
        port: 0,
        tls: false,
        name: undefined,
        log,
      }),
  })
  t.teardown(() => planner.close())
  const { context } = planner.conductor
  const agent = spawn(
    process.execPath,
    [
      ...[MAIN, 'run', '--device', 'press-1', '--state-dir', stateDir, '--log-level', 'silent'],
      ...['--broker', planner.info.broker, '--trust', planner.info.trust],
    ],
    { stdio: 'ignore' },
  )
  t.teardown(async () => {
    agent.kill('SIGTERM')
    await once(agent, 'close')
  })

  writeFileSync(file('passphrase'), 'correct horse\n')
  const sealed = ['--passphrase-file', file('passphrase')]
  t.match(await fitment('keys', 'export', 'release', '--data', data, '--keys', stick, ...sealed), {
    code: 0,
    out: /cannot sign with it any more/,
  })
  t.notOk(readdirSync(join(data, 'trust', 'keys')).includes('release.key'))
  t.notMatch(readFileSync(join(stick, 'release.key'), 'utf8'), 'PRIVATE KEY', 'sealed')
  t.match(await fitment('keys', 'export', 'director', '--data', data, '--keys', stick), {
    code: 1,
    err: /error \[impossible-policy\]: director signs \w+ of the director repository by machine/,
  })

  const { class: deviceClass } = await until(async () => {
    const device = await devices.findDevice(context.db, 'press-1')
    return device?.class ? device : undefined
  })
  const bytes = variantOf()
  await chosenModel(context, deviceClass ?? '', {}, 'a', (_key, index) =>
    index === 0 ? bytes : variantOf(),
  )
  planner.conductor.poke()
  const waiting = await until(async () => {
    const [rollout] = await rollouts.rolloutsOf(context.db, 'motor')
    return rollout?.reason.startsWith('waits') ? rollout : undefined
  })
  t.match(waiting, { state: 'running', reason: /release keys: see fitment keys pending/ })
  t.match(await fitment('rollout', 'status', 'motor', '--data', data), {
    out: /waits for signatures of the release keys/,
  })
  t.same(await rollouts.membersOf(context.db, waiting.id), [], 'nobody was told anything')
  t.notOk(existsSync(join(stateDir, 'slots', 'motor')))

  t.match(await fitment('keys', 'pending', '--data', data, '--out', file('release.json')), {
    code: 0,
    out: /release of motor \(2 variants\)/,
  })
  // On the machine with the stick: no planner, no data directory.
  const sign = ['keys', 'sign', file('release.json'), '--keys', stick, '--out', file('signed.json')]
  t.match(await fitment(...sign), { code: 2, err: /key release is sealed/ })
  t.match(await fitment(...sign, ...sealed), { code: 0, out: /releases motor\/[0-9a-f]{64}/ })

  t.match(await fitment('keys', 'submit', file('signed.json'), '--data', data), {
    code: 0,
    out: /done: release of motor/,
  })
  const current = join(stateDir, 'slots', 'motor', 'current')
  t.equal(
    await until(() => (existsSync(current) ? readlinkSync(current) : undefined)),
    digestOf(bytes),
  )
  t.match(await fitment('keys', 'submit', file('signed.json'), '--data', data), {
    code: 1,
    err: /error \[unknown-batch\]/,
  })
  const log1 = (await audit.readAudit(context.db, { limit: 50 })).map(({ action, actor }) => ({
    action,
    actor,
  }))
  for (const action of ['keys.forget', 'keys.signed', 'keys.published']) {
    t.match(log1.find((entry) => entry.action === action)?.actor, /^cli:/, action)
  }
})
