import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { makeKeyWithRequest } from '../../../agent/identity/certificate-request.ts'
import { invite, openAuthority, Registrar, Revocations } from '../../../planner/identity/index.ts'
import { x509 } from '../../../planner/identity/x509.ts'
import { audit, certificates, deviceLabels, joinTokens } from '../../../planner/storage/index.ts'
import { factsOf, isForClients, isIssuedBy } from '../../../shared/identity/index.ts'
import type { JoinRequest } from '../../../shared/messages/index.ts'
import { credentialsFrom, device, folderOf } from '../../broker/tls-broker.ts'
import {
  certificateIn,
  FLEET,
  joinRequest,
  type Registry,
  registryOf,
  renewRequest,
  trust,
  verdict,
} from './registry.ts'

t.setTimeout(180_000)

t.test('a token gives its device a certificate, once', async (t) => {
  const registry = await registryOf(t)
  const token = await registry.invite('pi-1')
  const made = await makeKeyWithRequest('pi-1')
  const first = await registry.registrar.answer(await joinRequest(token, 'pi-1', made))
  const certificate = certificateIn(first)
  t.ok(isIssuedBy(certificate, registry.authority.certificate))
  t.ok(isForClients(certificate))
  const { name, notAfter } = factsOf(certificate)
  t.strictSame(name, { role: 'device', fleet: FLEET, device: 'pi-1' })
  const days = (notAfter.getTime() - registry.clock.now().getTime()) / 86_400_000
  t.ok(days > 29.9 && days <= 30, `${days} days`)

  const again = await registry.registrar.answer(await joinRequest(token, 'pi-1', made))
  t.equal(certificateIn(again).serialNumber, certificate.serialNumber, 'a lost answer comes again')
  registry.clock.goDays(2)
  const late = await registry.registrar.answer(await joinRequest(token, 'pi-1', made))
  t.equal(verdict(late), 'issued', 'after the token expired, too')

  const thief = await registry.registrar.answer(await joinRequest(token, 'pi-1'))
  t.equal(verdict(thief), 'join-token-used')
  const entries = await audit.readAudit(registry.db, { limit: 10 })
  t.match(entries, [
    { actor: 'device:pi-1', action: 'device.join', subject: 'pi-1' },
    { actor: 'cli:tester', action: 'devices.invite', subject: 'pi-1' },
  ])
  t.equal(entries.length, 2, 'what was refused changed nothing')
})

t.test('of many at the same time one wins', async (t) => {
  const { registrar, invite } = await registryOf(t)
  const token = await invite()
  const requests = await Promise.all(
    Array.from({ length: 8 }, (_, i) => joinRequest(token, `pi-${i}`)),
  )
  const verdicts = await Promise.all(
    requests.map(async (request) => verdict(await registrar.answer(request))),
  )
  t.strictSame(verdicts.sort(), ['issued', ...Array(7).fill('join-token-used')])
})

interface Refusal {
  readonly code: string
  request(registry: Registry): Promise<JoinRequest>
}

const signedWith = async (registry: Registry, csr: string) => {
  const token = await registry.invite()
  return joinRequest(token, 'pi-1', { key: '', csr })
}

const REFUSALS: Readonly<Record<string, Refusal>> = {
  'an expired token': {
    code: 'join-token-expired',
    async request({ invite, clock }) {
      const request = await joinRequest(await invite(undefined, undefined, 24), 'pi-1')
      clock.goMs(24 * 3_600_000 + 1)
      return request
    },
  },
  'a token of another planner': {
    code: 'join-token-unknown',
    request: async () => joinRequest(await (await registryOf(t)).invite(), 'pi-1'),
  },
  'a name changed on its way': {
    code: 'bad-proof',
    async request({ invite }) {
      const { signed, ...rest } = await joinRequest(await invite(), 'pi-1')
      return { ...rest, signed: { ...signed, payload: signed.payload.replace('pi-1', 'pi-2') } }
    },
  },
  'a token of another device': {
    code: 'join-token-other-device',
    request: async ({ invite }) => joinRequest(await invite('pi-2'), 'pi-1'),
  },
  'a name that somebody has': {
    code: 'device-name-taken',
    async request({ invite, registrar }) {
      await registrar.answer(await joinRequest(await invite(), 'pi-1'))
      return joinRequest(await invite(), 'pi-1')
    },
  },
  'another fleet': {
    code: 'wrong-fleet',
    request: async ({ invite }) => joinRequest(await invite(), 'pi-1', undefined, 'elsewhere'),
  },
  'a name that topics cannot carry': {
    code: 'malformed-request',
    request: async ({ invite }) => joinRequest(await invite(), '+'),
  },
  'no request in it': { code: 'malformed-request', request: (r) => signedWith(r, 'AAAA') },
  'an RSA key': {
    code: 'malformed-request',
    request: async (registry) => signedWith(registry, await csrFor('rsa')),
  },
  'a key of another curve': {
    code: 'malformed-request',
    request: async (registry) => signedWith(registry, await csrFor('P-384')),
  },
  'a key that the device does not hold': {
    code: 'bad-proof',
    async request(registry) {
      const csr = Buffer.from((await makeKeyWithRequest('pi-1')).csr, 'base64')
      csr[csr.length - 5] = (csr.at(-5) as number) ^ 1
      return signedWith(registry, csr.toString('base64'))
    },
  },
  'an expired certificate': {
    code: 'certificate-expired',
    async request({ authority, clock }) {
      const present = await credentialsFrom(authority, device('pi-1'), clock, 30)
      clock.goDays(31)
      return renewRequest(present, 'pi-1')
    },
  },
  'a revoked certificate': {
    code: 'certificate-revoked',
    async request({ authority, clock, revocations }) {
      const present = await credentialsFrom(authority, device('pi-1'), clock)
      revocations.announce({ serials: [present.serial], device: 'pi-1' })
      return renewRequest(present, 'pi-1')
    },
  },
  'a certificate of another authority': {
    code: 'certificate-foreign',
    async request({ clock }) {
      const foreign = await openAuthority(folderOf(t), clock.now)
      return renewRequest(await credentialsFrom(foreign, device('pi-1'), clock), 'pi-1')
    },
  },
  'the certificate of another device': {
    code: 'certificate-wrong-name',
    request: async ({ authority, clock }) =>
      renewRequest(await credentialsFrom(authority, device('pi-2'), clock), 'pi-1'),
  },
  'a certificate without its key': {
    code: 'bad-proof',
    async request({ authority, clock }) {
      const { cert } = await credentialsFrom(authority, device('pi-1'), clock)
      const { key } = await credentialsFrom(authority, device('pi-1'), clock)
      return renewRequest({ cert, key }, 'pi-1')
    },
  },
}

for (const [name, { code, request }] of Object.entries(REFUSALS)) {
  t.test(`refuses ${name}: ${code}`, async (t) => {
    const registry = await registryOf(t)
    const asked = await request(registry)
    const before = await audit.readAudit(registry.db, { limit: 10 })
    t.equal(verdict(await registry.registrar.answer(asked)), code)
    t.strictSame(await audit.readAudit(registry.db, { limit: 10 }), before, 'nothing changed')
  })
}

t.test('a certificate gets its successor, and stays good until then', async (t) => {
  const { registrar, invite, clock, revocations } = await registryOf(t)
  const made = await makeKeyWithRequest('pi-1')
  const first = certificateIn(
    await registrar.answer(await joinRequest(await invite(), 'pi-1', made)),
  )
  clock.goDays(20)
  const present = { cert: first.toString(), key: made.key }
  const next = certificateIn(await registrar.answer(await renewRequest(present, 'pi-1')))
  t.not(next.serialNumber, first.serialNumber)
  t.ok(factsOf(next).notAfter > factsOf(first).notAfter)
  t.notOk(revocations.has(first.serialNumber))
})

t.test('who joins anew takes the place of what had the name', async (t) => {
  const { db, registrar, invite, clock, revocations } = await registryOf(t)
  const first = certificateIn(await registrar.answer(await joinRequest(await invite(), 'pi-1')))
  const gone: string[] = []
  revocations.listen(({ serials }) => gone.push(...serials))
  const second = certificateIn(
    await registrar.answer(await joinRequest(await invite('pi-1'), 'pi-1')),
  )
  t.strictSame(gone, [first.serialNumber])
  t.ok(revocations.has(first.serialNumber))
  t.notOk(revocations.has(second.serialNumber))
  const reloaded = await Revocations.load(db, clock.now)
  t.ok(reloaded.has(first.serialNumber), 'a restarted planner knows')
})

t.test('a revoked device gets nothing for its old token or certificate', async (t) => {
  const { db, registrar, invite, revocations } = await registryOf(t)
  const token = await invite('pi-1')
  const made = await makeKeyWithRequest('pi-1')
  const first = certificateIn(await registrar.answer(await joinRequest(token, 'pi-1', made)))
  t.strictSame(await revocations.revokeDevice('pi-1', 'cli:tester', 'stolen'), {
    certificates: 1,
    tokens: 0,
  })
  const again = await registrar.answer(await joinRequest(token, 'pi-1', made))
  t.equal(verdict(again), 'certificate-revoked')
  const present = { cert: first.toString(), key: made.key }
  t.equal(
    verdict(await registrar.answer(await renewRequest(present, 'pi-1'))),
    'certificate-revoked',
  )
  t.match(await audit.readAudit(db, { limit: 1 }), [
    {
      actor: 'cli:tester',
      action: 'devices.revoke',
      subject: 'pi-1',
      detail: { reason: 'stolen' },
    },
  ])
  t.equal(
    verdict(await registrar.answer(await joinRequest(await invite('pi-1'), 'pi-1'))),
    'issued',
  )
})

t.test(
  'a renewal that is under way while its device is revoked leaves nothing valid',
  async (t) => {
    const { db, clock, registrar, invite, revocations } = await registryOf(t)
    const made = await makeKeyWithRequest('pi-1')
    const first = certificateIn(
      await registrar.answer(await joinRequest(await invite('pi-1'), 'pi-1', made)),
    )
    const present = { cert: first.toString(), key: made.key }
    const requests = await Promise.all(
      Array.from({ length: 8 }, () => renewRequest(present, 'pi-1')),
    )
    const answers = requests.map((request) => registrar.answer(request))
    await revocations.revokeDevice('pi-1', 'cli:tester', 'stolen')
    await Promise.all(answers)
    t.strictSame(await certificates.validCertificates(db, 'pi-1', clock.now()), [])
  },
)

t.test(
  'of the tokens for one device the last one counts, and none after its revocation',
  async (t) => {
    const { registrar, revocations, invite } = await registryOf(t)
    const use = async (token: string, device: string) =>
      verdict(await registrar.answer(await joinRequest(token, device)))
    const [lost, found, other] = [await invite('pi-1'), await invite('pi-1'), await invite('pi-2')]
    t.equal(await use(lost, 'pi-1'), 'join-token-expired', 'a newer one was made')
    t.strictSame(await revocations.revokeDevice('pi-1', 'cli:tester', 'stolen'), {
      certificates: 0,
      tokens: 1,
    })
    t.equal(await use(found, 'pi-1'), 'join-token-expired', 'the device was revoked')
    t.equal(await use(other, 'pi-2'), 'issued')
    t.equal(await use(await invite('pi-1'), 'pi-1'), 'issued')
  },
)

t.test('a restart forgets no use of a token', async (t) => {
  const { db, authority, clock, registrar, invite } = await registryOf(t)
  const token = await invite()
  await registrar.answer(await joinRequest(token, 'pi-1'))
  const { now } = clock
  const revocations = await Revocations.load(db, now)
  const restarted = new Registrar({ db, authority, revocations, fleet: FLEET, days: 30, now })
  t.equal(verdict(await restarted.answer(await joinRequest(token, 'pi-2'))), 'join-token-used')
})

async function csrFor(kind: 'rsa' | 'P-384'): Promise<string> {
  const isRsa = kind === 'rsa'
  const algorithm = isRsa
    ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
    : { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' }
  const pair = isRsa
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const { subtle } = globalThis.crypto
  const der = { format: 'der' } as const
  const privateKey = await subtle.importKey(
    'pkcs8',
    pair.privateKey.export({ ...der, type: 'pkcs8' }),
    algorithm,
    true,
    ['sign'],
  )
  const publicKey = await subtle.importKey(
    'spki',
    pair.publicKey.export({ ...der, type: 'spki' }),
    algorithm,
    true,
    ['verify'],
  )
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=pi-1',
    keys: { privateKey, publicKey },
    signingAlgorithm: algorithm,
  })
  return Buffer.from(csr.rawData).toString('base64')
}

t.test(
  'one token for several: as many as it says, each under its own name, until it expires',
  async (t) => {
    const { db, registrar, authority, clock } = await registryOf(t)
    const place = { broker: 'mqtts://localhost:1', fleet: FLEET, authority: authority.pin, trust }
    const several = async (uses: number) => {
      const wish = { device: null, lifetimeMs: 3_600_000, by: 'cli:tester', uses }
      return (await invite(db, place, { ...wish, labels: { site: 'hall-2' } }, clock.now())).token
    }
    const token = await several(3)
    const made = await makeKeyWithRequest('pi-1')
    const first = await registrar.answer(await joinRequest(token, 'pi-1', made))
    const again = await registrar.answer(await joinRequest(token, 'pi-1', made))
    t.equal(
      certificateIn(again).serialNumber,
      certificateIn(first).serialNumber,
      'a lost answer comes again, and is no second use',
    )
    const other = await registrar.answer(await joinRequest(token, 'pi-1'))
    t.equal(verdict(other), 'device-name-taken')
    const crowd = await Promise.all(
      Array.from({ length: 6 }, async (_, i) =>
        verdict(await registrar.answer(await joinRequest(token, `pi-${i + 2}`))),
      ),
    )
    t.strictSame(crowd.sort(), ['issued', 'issued', ...Array(4).fill('join-token-used-up')])
    t.same((await deviceLabels.deviceLabelsOf(db, 'pi-1')).labels, { site: 'hall-2' })

    const short = await several(2)
    t.equal(verdict(await registrar.answer(await joinRequest(short, 'pa-1'))), 'issued')
    clock.goMs(3_600_001)
    const late = await registrar.answer(await joinRequest(short, 'pa-2'))
    t.equal(verdict(late), 'join-token-expired')
  },
)

t.test('a token that is taken back lets nobody in, and says so', async (t) => {
  const { db, registrar, authority, clock } = await registryOf(t)
  const place = { broker: 'mqtts://localhost:1', fleet: FLEET, authority: authority.pin, trust }
  const made = await makeKeyWithRequest('pi-1')
  for (const uses of [1, 3]) {
    const wish = { device: null, lifetimeMs: 3_600_000, by: 'cli:tester', uses }
    const { id, token } = await invite(db, place, wish, clock.now())
    const name = `pi-${uses}`
    const request = await joinRequest(token, name, uses === 3 ? made : undefined)
    if (uses === 3) t.equal(verdict(await registrar.answer(request)), 'issued')
    const why = { by: 'cli:anna', reason: 'was in a mail' }
    t.equal(await joinTokens.revokeJoinToken(db, id, why, clock.now()), true)
    t.equal(await joinTokens.revokeJoinToken(db, id, why, clock.now()), false)
    const late = await registrar.answer(await joinRequest(token, `${name}-b`))
    t.equal(verdict(late), 'join-token-revoked')
    const again = verdict(await registrar.answer(request))
    t.equal(again, uses === 3 ? 'issued' : 'join-token-revoked', 'who joined hears it again')
  }
  t.equal(
    await joinTokens.revokeJoinToken(db, 'f'.repeat(64), { by: '', reason: '' }, new Date()),
    false,
  )
  t.match(await joinTokens.listJoinTokens(db), [
    { used: Number, uses: Number, revoked: { by: 'cli:anna', reason: 'was in a mail' } },
    {},
  ])
})

t.test('a device that is set up anew keeps its labels', async (t) => {
  const { db, registrar, invite: again } = await registryOf(t)
  await registrar.answer(await joinRequest(await again('pi-1'), 'pi-1'))
  await deviceLabels.putLabelsOf(db, 'pi-1', { site: 'hall-2' })
  const anew = await registrar.answer(await joinRequest(await again('pi-1'), 'pi-1'))
  t.equal(verdict(anew), 'issued')
  t.same((await deviceLabels.deviceLabelsOf(db, 'pi-1')).labels, { site: 'hall-2' })
})
