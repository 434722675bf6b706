import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { connectPlanner } from '../../planner/api/index.ts'

const FITMENT = fileURLToPath(new URL('../../planner/cli/main.js', import.meta.url))
const AGENT = fileURLToPath(new URL('../../agent/cli/main.js', import.meta.url))

interface Done {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** One command line, as a user would type it. */
function run(
  main: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = '',
): Promise<Done> {
  return new Promise((resolve) => {
    const options = { env: { PATH: process.env.PATH, ...env } }
    const child = execFile(process.execPath, [main, ...argv], options, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err })
    })
    child.stdin?.end(input)
  })
}

function start(t: Test, main: string, argv: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [main, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH },
  })
  child.stderr?.resume()
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  })
  return child
}

function folderOf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'fit-story-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function serving(t: Test, data: string, ...more: string[]) {
  const child = start(t, FITMENT, ['serve', '--data', data, '--port', '0', '--json', ...more])
  let said = ''
  for await (const chunk of child.stdout ?? []) {
    said += String(chunk)
    if (said.trimEnd().endsWith('}')) break
  }
  return { child, facts: JSON.parse(said) as Record<string, string> }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50))
}

t.test('a fleet whose devices join, operated from elsewhere', async (t) => {
  const data = folderOf(t)
  const { facts } = await serving(t, data, '--api-host', '127.0.0.1', '--api-port', '0')
  t.match(facts.broker, /^mqtts:\/\/127\.0\.0\.1:\d+$/)
  for (const file of ['authority.key.pem', 'authority.pem', 'server.pem']) {
    t.equal(statSync(join(data, 'identity', file)).mode & 0o777, 0o600, file)
  }
  const here = connectPlanner(data, '')
  const invited = await run(FITMENT, ['devices', 'invite', '--data', data, '--json'])
  t.equal(invited.code, 0, invited.err)
  const { token } = JSON.parse(invited.out) as { token: string }

  const stateDir = folderOf(t)
  const joined = await run(AGENT, ['join', token, '--device', 'pi-1', '--state-dir', stateDir])
  t.equal(joined.code, 0, joined.err)
  const stolen = await run(AGENT, ['join', token, '--device', 'pi-2', '--state-dir', folderOf(t)])
  t.equal(stolen.code, 1)
  t.match(stolen.err, /^error \[join-token-used\]: [^\n]+\n$/)

  start(t, AGENT, ['run', '--state-dir', stateDir])
  await until(async () => (await here.call('devices.list', {})).some(({ online }) => online))
  t.match(await here.call('devices.list', {}), [{ id: 'pi-1', online: true }])
  const renewed = await run(AGENT, ['renew', '--state-dir', stateDir, '--json'])
  t.equal(renewed.code, 0, renewed.err)

  const tokens: Record<string, string> = {}
  for (const [name, role] of [
    ['vic', 'viewer'],
    ['ops', 'operator'],
    ['ada', 'admin'],
  ] as const) {
    const made = await here.call('operators.add', { name, role, days: 1 })
    tokens[name] = made.token
  }
  const as = (name: string) => connectPlanner('/nowhere', tokens[name])
  t.match(await as('vic').call('devices.list', {}), [{ id: 'pi-1' }])
  await t.rejects(as('vic').call('devices.revoke', { device: 'pi-1', reason: '' }), {
    code: 'forbidden',
  })
  await t.rejects(as('vic').upload(join(data, 'identity', 'authority.pem')), { code: 'forbidden' })
  await t.rejects(as('ops').call('audit.list', { limit: 1 }), { code: 'forbidden' })
  await t.rejects(as('ops').call('operators.revoke', { name: 'ada' }), { code: 'forbidden' })

  const revoked = await run(FITMENT, ['devices', 'revoke', 'pi-1', '--reason', 'stolen'], {
    FITMENT_TOKEN: tokens.ops ?? '',
  })
  t.equal(revoked.code, 0, revoked.err)
  await until(async () => (await here.call('devices.list', {})).every(({ online }) => !online))
  t.match(await here.call('devices.list', {}), [{ id: 'pi-1', revoked: true }])
  const refused = await run(AGENT, ['renew', '--state-dir', stateDir])
  t.match(refused.err, /^error \[certificate-revoked\]/)

  t.equal((await as('ada').call('operators.revoke', { name: 'ops' })).tokens, 1)
  await t.rejects(as('ops').call('devices.list', {}), { code: 'not-known' })
  const log = await as('ada').call('audit.list', { limit: 20 })
  t.match(
    log.map(
      ({ actor, action, subject }) => `${actor.replace(/^cli:.*/, 'cli')} ${action} ${subject}`,
    ),
    [
      'operator:ada operators.revoke ops',
      'operator:ops devices.revoke pi-1',
      'cli operators.add ada',
      'cli operators.add ops',
      'cli operators.add vic',
      'device:pi-1 device.renew pi-1',
      'planner device.joined pi-1',
      'device:pi-1 device.join pi-1',
      'cli devices.invite default',
    ],
  )
})

t.test('a planner that restarts is the same to its devices', async (t) => {
  const data = folderOf(t)
  const first = await serving(t, data)
  const here = connectPlanner(data, '')
  const { token } = await here.call('devices.invite', { device: 'pi-1', hours: 1 })
  const gone = once(first.child, 'exit')
  first.child.kill('SIGKILL')
  await gone
  const port = new URL(first.facts.broker ?? '').port
  const again = start(t, FITMENT, ['serve', '--data', data, '--port', port, '--json'])
  again.stdout?.resume()
  await until(() =>
    here.call('planner.info', {}).then(
      () => true,
      () => false,
    ),
  )
  const stateDir = folderOf(t)
  const argv = ['join', '-', '--state-dir', stateDir, '--json']
  const joined = await run(AGENT, argv, {}, `${token}\n`)
  t.equal(joined.code, 0, joined.err)
  t.match(JSON.parse(joined.out), { device: 'pi-1', fleet: 'default' })
})

t.test('without TLS nobody joins, and nobody listens for others', async (t) => {
  const data = folderOf(t)
  const { facts } = await serving(t, data, '--insecure-loopback')
  t.match(facts.broker, /^mqtt:\/\/127\.0\.0\.1:/)
  const here = connectPlanner(data, '')
  await t.rejects(here.call('devices.invite', { device: null, hours: 1 }), { code: 'no-tls' })
  await t.rejects(here.call('operators.add', { name: 'a', role: 'viewer', days: null }), {
    code: 'no-listener',
  })
  const open = await run(FITMENT, [
    'serve',
    '--data',
    data,
    '--insecure-loopback',
    '--host',
    '0.0.0.0',
  ])
  t.equal(open.code, 2)
  t.match(open.err, /--insecure-loopback goes with a loopback/)
})
