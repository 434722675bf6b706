import { execFileSync } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { invite } from '../../../planner/identity/index.ts'
import { deviceLabels } from '../../../planner/storage/index.ts'
import { certificatesIn, factsOf, signEndorsement } from '../../../shared/identity/index.ts'
import {
  certificateIn,
  FLEET,
  joinRequest,
  type Registry,
  registryOf,
  trust,
  verdict,
} from './registry.ts'

/** Certificates as an operator's own authority makes them, by OpenSSL: what is believed was not written by us. */
t.setTimeout(400_000)

const hasOpenSsl = (() => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()
const options = hasOpenSsl ? {} : { skip: 'no openssl here' }

interface Made {
  readonly cert: string
  readonly key: string
}

const KEYS = {
  p256: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  p384: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  rsa: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  ed25519: ['-algorithm', 'ED25519'],
} as const

/** Signed by `by`, or by itself. */
function make(
  dir: string,
  name: string,
  {
    key = 'p256',
    by,
    isCa = false,
    days = 30,
  }: { key?: keyof typeof KEYS; by?: string; isCa?: boolean; days?: number } = {},
): Made {
  const path = (ending: string, of = name) => join(dir, `${of}.${ending}`)
  const run = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
  run('genpkey', ...KEYS[key], '-out', path('key'))
  writeFileSync(path('ext'), `basicConstraints=critical,CA:${isCa ? 'TRUE' : 'FALSE'}\n`)
  run('req', '-new', '-key', path('key'), '-subj', `/O=Plant/CN=${name}`, '-out', path('csr'))
  const signer =
    by === undefined
      ? ['-signkey', path('key')]
      : ['-CA', path('pem', by), '-CAkey', path('key', by), '-CAcreateserial']
  const more = ['-days', `${days}`, '-extfile', path('ext'), '-out', path('pem')]
  run('x509', '-req', '-in', path('csr'), ...signer, ...more)
  return { cert: readFileSync(path('pem'), 'utf8'), key: readFileSync(path('key'), 'utf8') }
}

async function ask(
  { registrar }: Registry,
  token: string,
  device: string,
  shown?: { chain: string; key: string },
): Promise<Parameters<typeof verdict>[0]> {
  const request = await joinRequest(token, device)
  if (shown === undefined) return await registrar.answer(request)
  const endorsement = {
    certificates: certificatesIn(shown.chain).map(({ raw }) => raw.toString('base64')),
    signature: signEndorsement(request.signed.payload, createPrivateKey(shown.key)),
  }
  return await registrar.answer({ ...request, endorsement })
}

async function setUp(t: Test, names = ['press-*', 'crane-7']) {
  const dir = t.testdir({})
  const authority = make(dir, 'plant', { isCa: true, days: 3650 })
  // What OpenSSL makes is valid from now on.
  const registry = await registryOf(t)
  registry.clock.goMs(60_000)
  const wish = { device: null, lifetimeMs: 3_600_000, by: 'cli:tester', uses: 3 }
  const place = {
    broker: 'mqtts://localhost:1',
    fleet: FLEET,
    authority: registry.authority.pin,
    trust,
  }
  const { token } = await invite(
    registry.db,
    place,
    { ...wish, authority: { certificate: authority.cert, names }, labels: { site: 'hall-2' } },
    registry.clock.now(),
  )
  return { dir, registry, token }
}

t.test(
  'whoever has a certificate of it joins at first contact, whatever its key',
  options,
  async (t) => {
    const { dir, registry, token } = await setUp(t)
    for (const key of ['p384', 'rsa', 'ed25519'] as const) {
      const name = `press-${key}`
      const made = make(dir, name, { key, by: 'plant' })
      const answer = await ask(registry, token, name, { chain: made.cert, key: made.key })
      t.equal(verdict(answer), 'issued', key)
      t.match(certificateIn(answer).subject, new RegExp(name))
    }
    t.same((await deviceLabels.deviceLabelsOf(registry.db, 'press-rsa')).labels, { site: 'hall-2' })
    const made = make(dir, 'press-4', { by: 'plant' })
    const fourth = await ask(registry, token, 'press-4', { chain: made.cert, key: made.key })
    t.equal(verdict(fourth), 'join-token-used-up', 'the quota holds for them as well')
  },
)

t.test('by an authority between', options, async (t) => {
  const { dir, registry, token } = await setUp(t)
  make(dir, 'line', { isCa: true, by: 'plant' })
  const made = make(dir, 'crane-7', { by: 'line' })
  const between = readFileSync(join(dir, 'line.pem'), 'utf8')
  const whole = { chain: `${made.cert}${between}`, key: made.key }
  t.equal(verdict(await ask(registry, token, 'crane-7', whole)), 'issued')
  const alone = { chain: made.cert, key: made.key }
  t.equal(verdict(await ask(registry, token, 'crane-7', alone)), 'endorsement-foreign')
})

t.test('what does not let a device in', options, async (t) => {
  const { dir, registry, token } = await setUp(t)
  const good = make(dir, 'press-1', { by: 'plant' })
  const other = make(dir, 'press-2', { by: 'plant' })
  const foreign = make(dir, 'other', { isCa: true })
  t.ok(foreign)
  const stranger = make(dir, 'press-3', { by: 'other' })
  const unlisted = make(dir, 'lathe-1', { by: 'plant' })
  // A device that signs for another: no authority.
  const forged = make(dir, 'press-9', { by: 'press-1' })
  const rows: [string, string, { chain: string; key: string } | undefined, string][] = [
    ['the token alone', 'press-1', undefined, 'endorsement-missing'],
    [
      'another authority',
      'press-3',
      { chain: stranger.cert, key: stranger.key },
      'endorsement-foreign',
    ],
    [
      'a device as an authority',
      'press-9',
      { chain: `${forged.cert}${good.cert}`, key: forged.key },
      'endorsement-foreign',
    ],
    ['another key', 'press-1', { chain: good.cert, key: other.key }, 'bad-proof'],
    ['another name', 'press-2', { chain: good.cert, key: good.key }, 'endorsement-wrong-name'],
    [
      'a name that is not listed',
      'lathe-1',
      { chain: unlisted.cert, key: unlisted.key },
      'device-not-listed',
    ],
  ]
  for (const [what, device, shown, code] of rows) {
    t.equal(verdict(await ask(registry, token, device, shown)), code, what)
  }
  registry.clock.goMs(3_600_001)
  const late = await ask(registry, token, 'press-1', { chain: good.cert, key: good.key })
  t.equal(verdict(late), 'join-token-expired')
})

t.test(
  'a device that is set up anew keeps its name; one that was revoked stays out',
  options,
  async (t) => {
    const { dir, registry, token } = await setUp(t)
    const made = make(dir, 'press-1', { by: 'plant' })
    const shown = { chain: made.cert, key: made.key }
    const first = certificateIn(await ask(registry, token, 'press-1', shown))
    registry.clock.goMs(1_000)
    const second = certificateIn(await ask(registry, token, 'press-1', shown))
    t.not(second.serialNumber, first.serialNumber)
    t.ok(registry.revocations.has(factsOf(first).serial), 'what it had before is good no more')
    registry.clock.goMs(1_000)
    await registry.revocations.revokeDevice('press-1', 'cli:tester', 'stolen')
    registry.clock.goMs(1_000)
    t.equal(verdict(await ask(registry, token, 'press-1', shown)), 'device-revoked')
    const again = await registry.invite('press-1')
    t.equal(
      verdict(await ask(registry, again, 'press-1')),
      'issued',
      'until an operator asks for it by name',
    )
  },
)
