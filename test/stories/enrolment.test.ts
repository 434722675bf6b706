import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { joinFleet } from '../../agent/identity/join.ts'
import { connectPlanner, type PlannerClient } from '../../planner/api/index.ts'
import { FITMENT, fitment } from './command-line.ts'
import { until } from './running.ts'

/**
 * How many devices come to a fleet: a thousand lines of CSV, certificates of the operator's own authority (made by OpenSSL), and
 * one token for several. Planner, broker with TLS and agents are processes.
 */
t.setTimeout(900_000)

const AGENT = fileURLToPath(new URL('../../agent/cli/main.js', import.meta.url))
/** Devices of the thousand that join here; each makes a key, and a certificate is made for it. */
const JOINING = 150

interface Done {
  readonly code: number | null
  readonly err: string
}

async function agent(...argv: string[]): Promise<Done> {
  const child = spawn(process.execPath, [AGENT, ...argv], { stdio: ['ignore', 'ignore', 'pipe'] })
  let err = ''
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, err }
}

async function serving(t: Test, data: string): Promise<PlannerClient> {
  const argv = ['serve', '--data', data, '--port', '0', '--json', '--log-level', 'silent']
  const child = spawn(process.execPath, [FITMENT, ...argv], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  ended(t, child)
  for await (const chunk of child.stdout) if (String(chunk).trimEnd().endsWith('}')) break
  return connectPlanner(data, '')
}

function ended(t: Test, child: ChildProcess): void {
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
}

function running(t: Test, stateDir: string): ChildProcess {
  const argv = ['run', '--state-dir', stateDir, '--log-level', 'silent', '--runtimes', 'litert']
  const child = spawn(process.execPath, [AGENT, ...argv], { stdio: 'ignore' })
  ended(t, child)
  return child
}

t.test('a thousand devices of a list', async (t) => {
  const dir = t.testdir({})
  const data = join(dir, 'planner')
  const planner = await serving(t, data)
  const list = join(dir, 'presses.csv')
  const lines = Array.from(
    { length: 1000 },
    (_, i) => `press-${i},hall-${i % 4},${i % 2 ? 'a' : ''}`,
  )
  writeFileSync(list, ['device,site,line', ...lines].join('\n'))
  const invited = await fitment(
    'devices',
    'invite',
    '--csv',
    list,
    '--expires',
    '7d',
    '--data',
    data,
  )
  t.equal(invited.code, 0, invited.err)
  const tokens = new Map(
    invited.out
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',') as [string, string]),
  )
  t.equal(tokens.size, 1000)
  t.equal((await planner.call('invites.list', {})).length, 1000)

  // Every seventh, and so on: from all over the list.
  const names = Array.from({ length: JOINING }, (_, i) => `press-${(7 * i) % 1000}`)
  const queue = [...names]
  const began = performance.now()
  const joinAll = async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      const stateDir = join(dir, 'devices', name)
      const token = tokens.get(name) ?? ''
      const identity = await joinFleet({ token, device: undefined, stateDir, timeoutMs: 120_000 })
      if (identity.device !== name) throw new Error(`${name} became ${identity.device}`)
    }
  }
  await Promise.all(Array.from({ length: 8 }, joinAll))
  t.comment(`${JOINING} joined in ${((performance.now() - began) / 1000).toFixed(1)} s`)
  const left = await planner.call('invites.list', { all: true })
  t.equal(left.filter(({ state }) => state === 'used-up').length, JOINING)
  t.equal(left.filter(({ state }) => state === 'good').length, 1000 - JOINING)

  running(t, join(dir, 'devices', 'press-7'))
  await until('one of them', async () =>
    (await planner.call('devices.list', {})).some(({ online }) => online) ? true : undefined,
  )
  t.match(await planner.call('devices.list', {}), [
    { id: 'press-7', labels: { site: 'hall-3', line: 'a' } },
  ])
  const stolen = await agent('join', tokens.get('press-7') ?? '', '--state-dir', join(dir, 'thief'))
  t.match(stolen, { code: 1, err: /join-token-used/ })

  writeFileSync(list, 'device,site\npress-7,hall-9\npress 8,hall-1\n')
  const faulty = await fitment('devices', 'invite', '--csv', list, '--data', data)
  t.match(faulty, { code: 2, err: /line 3: .*Nobody was invited/ })
  writeFileSync(list, 'device,site\npress-7,hall-9\n')
  const anew = await fitment('devices', 'invite', '--csv', list, '--data', data)
  t.match(anew, { code: 0, err: /1 of them are known already/ })
})

const hasOpenSsl = (() => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

/** A certificate by OpenSSL: signed by `by`, or by itself as an authority. */
function certify(dir: string, name: string, by?: string): readonly string[] {
  const path = (ending: string, of = name) => join(dir, `${of}.${ending}`)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
  openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', path('key'))
  writeFileSync(path('ext'), `basicConstraints=critical,CA:${by ? 'FALSE' : 'TRUE'}\n`)
  openssl('req', '-new', '-key', path('key'), '-subj', `/CN=${name}`, '-out', path('csr'))
  const signer = by
    ? ['-CA', path('pem', by), '-CAkey', path('key', by), '-CAcreateserial']
    : ['-signkey', path('key')]
  const more = ['-days', '30', '-extfile', path('ext'), '-out', path('pem')]
  openssl('x509', '-req', '-in', path('csr'), ...signer, ...more)
  return ['--certificate', path('pem'), '--key', path('key')]
}

t.test(
  'devices of the operator’s own authority',
  { skip: !hasOpenSsl && 'no openssl' },
  async (t) => {
    const dir = t.testdir({})
    const data = join(dir, 'planner')
    const planner = await serving(t, data)
    certify(dir, 'plant')
    certify(dir, 'stranger')
    const authority = ['--authority', join(dir, 'plant.pem'), '--names', 'press-*,crane-7']
    const asked = await fitment(
      ...['devices', 'invite', ...authority, '--expires', '90d', '--label', 'site=hall-2'],
      ...['--data', data, '--json'],
    )
    t.equal(asked.code, 0, asked.err)
    const { id, token } = JSON.parse(asked.out) as { id: string; token: string }
    const join1 = (name: string, shown: readonly string[], stateDir = join(dir, name)) =>
      agent('join', token, ...shown, '--state-dir', stateDir)
    const press = certify(dir, 'press-1', 'plant')
    t.match(await join1('press-1', press), { code: 0 })
    t.match(await join1('nobody', []), { code: 2, err: /--device|--certificate/ })
    t.match(await join1('pump-1', certify(dir, 'pump-1', 'plant')), { err: /device-not-listed/ })
    t.match(await join1('press-2', certify(dir, 'press-2', 'stranger')), {
      err: /endorsement-foreign/,
    })
    t.match(await join1('press-3', [...press, '--device', 'press-3']), { code: 1 })

    const first = running(t, join(dir, 'press-1'))
    const seen = async () => (await planner.call('devices.list', {})).find(({ online }) => online)
    t.match(await until('press-1', seen), { id: 'press-1', labels: { site: 'hall-2' } })
    await planner.call('devices.label', { devices: ['press-1'], labels: { line: 'a' } })
    const before = await planner.call('devices.show', { device: 'press-1' })
    first.kill('SIGKILL')
    await once(first, 'exit')

    t.match(await join1('press-1', press, join(dir, 'new-disk')), { code: 0 }, 'a new disk')
    running(t, join(dir, 'new-disk'))
    await until('it again', seen)
    const after = await planner.call('devices.show', { device: 'press-1' })
    t.equal(after.firstSeen, before.firstSeen, 'one device, with its history')
    t.same(after.labels, { site: 'hall-2', line: 'a' }, 'and with its labels')
    t.equal((await planner.call('devices.list', { all: true })).length, 1)
    const renewed = await agent('renew', '--state-dir', join(dir, 'press-1'))
    t.match(renewed, { code: 1, err: /certificate-revoked/ }, 'the old disk is out')

    t.match(await fitment('invites', 'list', '--data', data), {
      code: 0,
      out: /INVITE +STATE +FOR[\s\S]*good +certified press-\*, crane-7 +1 of 100000 +site=hall-2/,
    })
    t.match(await fitment('invites', 'revoke', token, '--reason', 'a mail', '--data', data), {
      code: 0,
      out: new RegExp(`${id.slice(0, 12)} is revoked: 1 of 100000`),
    })
    const late = await join1('press-4', certify(dir, 'press-4', 'plant'))
    t.match(late, { code: 1, err: /^error \[join-token-revoked\]: [^\n]+\n$/ })
    t.match(await fitment('invites', 'revoke', id.slice(0, 8), '--data', data), {
      code: 1,
      err: /was revoked already/,
    })
    t.match(await fitment('invites', 'revoke', 'no token', '--data', data), {
      code: 2,
      err: /invites list/,
    })
    t.match(await fitment('invites', 'list', '--all', '--data', data), {
      out: /revoked by .*: a mail/,
    })
    t.match(await fitment('invites', 'list', '--data', data), { out: /no token is good/ })
  },
)

t.test('one token for several, and what becomes of it', async (t) => {
  const dir = t.testdir({})
  const data = join(dir, 'planner')
  await serving(t, data)
  const invite = async (...more: string[]) => {
    const asked = await fitment('devices', 'invite', ...more, '--data', data, '--json')
    return (JSON.parse(asked.out) as { token: string }).token
  }
  const join1 = (token: string, name: string) =>
    agent('join', token, '--device', name, '--state-dir', join(dir, name))
  const two = await invite('--uses', '2', '--expires', '1h')
  t.match(await join1(two, 'pi-1'), { code: 0 })
  t.match(await join1(two, 'pi-2'), { code: 0 })
  t.match(await join1(two, 'pi-3'), { code: 1, err: /\[join-token-used-up\]/ })
  t.match(await fitment('invites', 'list', '--all', '--data', data), {
    out: /used-up +any name +2 of 2/,
  })
  const many = await invite('--uses', '50', '--expires', '1h')
  t.match(await join1(many, 'pi-3'), { code: 0 })
  t.match(await fitment('invites', 'revoke', many, '--data', data), {
    code: 0,
    out: /1 of 50 devices/,
  })
  t.match(await join1(many, 'pi-4'), { code: 1, err: /\[join-token-revoked\]/ })
  t.match(await join1(many, 'pi-3'), { code: 0 }, 'who has joined stays')
})
