import { generateKeyPairSync } from 'node:crypto'
import { connect } from 'node:net'
import { connect as connectRaw } from 'node:tls'
import type { IClientOptions } from 'mqtt'
import t, { type Test } from 'tap'
import {
  ensureServerCertificate,
  openAuthority,
  serverNames,
} from '../../planner/identity/index.ts'
import { printJoinTopic } from '../../shared/messages/topics.ts'
import { closed, connectPacket, rawSocket, topicOf } from './clients.ts'
import {
  type ClientCredentials,
  connectTls,
  credentialsFrom,
  device,
  ended,
  folderOf,
  type TlsBroker,
  tlsBroker,
} from './tls-broker.ts'

t.test('lets in who a certificate names, with its serial', async (t) => {
  const there = await tlsBroker(t)
  const mine = await credentialsFrom(there.authority, device('pi-1'), there.clock)
  const client = await connectTls(t, there, 'default/pi-1', mine)
  await client.subscribeAsync(topicOf('pi-1', 'orders'), { qos: 1 })
  t.match(there.broker.connectedClients(), [
    { role: 'device', fleet: 'default', device: 'pi-1', certificate: { serial: mine.serial } },
  ])
  const order = new Promise<Buffer>((resolve) => client.on('message', (_, bytes) => resolve(bytes)))
  const orders = { fleet: 'default', device: 'pi-1', channel: 'orders' } as const
  await there.broker.publishToClient(orders, Buffer.from('over TLS'))
  t.equal((await order).toString(), 'over TLS')
})

interface RefusedCase {
  readonly reason: string
  /** CONNACK's return code. */
  readonly code: number
  readonly clientId?: string
  credentials?(there: TlsBroker): Promise<ClientCredentials>
}

const REFUSED: Readonly<Record<string, RefusedCase>> = {
  'an expired certificate': {
    reason: 'certificate-expired',
    code: 4,
    async credentials({ authority, clock }) {
      const mine = await credentialsFrom(authority, device('pi-1'), clock, 30)
      clock.goDays(30)
      clock.goMs(1_000)
      return mine
    },
  },
  'a certificate of tomorrow': {
    reason: 'certificate-not-yet-valid',
    code: 4,
    async credentials({ authority, clock }) {
      clock.goDays(1)
      const mine = await credentialsFrom(authority, device('pi-1'), clock)
      clock.goDays(-1)
      return mine
    },
  },
  'a revoked certificate': {
    reason: 'certificate-revoked',
    code: 5,
    async credentials({ authority, clock, revoked }) {
      const mine = await credentialsFrom(authority, device('pi-1'), clock)
      revoked.add(mine.serial)
      return mine
    },
  },
  'a certificate of another authority': {
    reason: 'certificate-foreign',
    code: 4,
    credentials: async ({ clock }) =>
      credentialsFrom(await openAuthority(folderOf(t), clock.now), device('pi-1'), clock),
  },
  'an expired certificate of another authority': {
    reason: 'certificate-foreign',
    code: 4,
    async credentials({ clock }) {
      // By OpenSSL's clock it is expired, by the broker's it is valid: neither makes it ours.
      clock.goDays(-60)
      return credentialsFrom(await openAuthority(folderOf(t), clock.now), device('pi-1'), clock)
    },
  },
  'the certificate of a server': {
    reason: 'certificate-foreign',
    code: 4,
    credentials: ({ authority, clock }) =>
      credentialsFrom(authority, { use: 'server', names: serverNames([]) }, clock),
  },
  'the certificate of another device': {
    reason: 'certificate-wrong-name',
    code: 2,
    credentials: ({ authority, clock }) => credentialsFrom(authority, device('pi-2'), clock),
  },
  'the certificate of that device in another fleet': {
    reason: 'certificate-wrong-name',
    code: 2,
    credentials: ({ authority, clock }) =>
      credentialsFrom(authority, device('pi-1', 'elsewhere'), clock),
  },
  'a device as a planner': {
    reason: 'certificate-wrong-name',
    code: 2,
    clientId: 'planner:default:1',
    credentials: ({ authority, clock }) => credentialsFrom(authority, device('pi-1'), clock),
  },
  'a planner as a device': {
    reason: 'certificate-wrong-name',
    code: 2,
    credentials: ({ authority, clock }) =>
      credentialsFrom(authority, { role: 'planner', fleet: 'default' }, clock),
  },
  'a fleet that is not served': {
    reason: 'wrong-fleet',
    code: 5,
    clientId: 'moon/pi-1',
    credentials: ({ authority, clock }) =>
      credentialsFrom(authority, device('pi-1', 'moon'), clock),
  },
  'no certificate': { reason: 'certificate-missing', code: 4 },
  'no certificate, joining a fleet that is not served': {
    reason: 'wrong-fleet',
    code: 5,
    clientId: 'join:moon:j1',
  },
  'no certificate, under a name that topics cannot carry': {
    reason: 'certificate-missing',
    code: 4,
    clientId: 'join:default:+',
  },
}

for (const [name, { reason, code, clientId, credentials }] of Object.entries(REFUSED)) {
  t.test(`does not let in ${name}: ${reason}`, async (t) => {
    const there = await tlsBroker(t)
    const own: IClientOptions = (await credentials?.(there)) ?? {}
    await t.rejects(connectTls(t, there, clientId ?? 'default/pi-1', own), { code })
    t.match(there.logged, [{ reason }])
    t.strictSame(there.broker.connectedClients(), [])
  })
}

t.test('a certificate whose key the client does not have ends in the handshake', async (t) => {
  const there = await tlsBroker(t)
  const stolen = await credentialsFrom(there.authority, device('pi-1'), there.clock)
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const key = other.export({ format: 'pem', type: 'pkcs8' }).toString()
  await t.rejects(connectTls(t, there, 'default/pi-1', { cert: stolen.cert, key }))
  t.strictSame(there.broker.connectedClients(), [])
})

t.test('without TLS there is no way in, nor with an old one', async (t) => {
  const { broker, authority } = await tlsBroker(t)
  const plain = await rawSocket(t, broker.port)
  plain.write(connectPacket('default/pi-1'))
  await closed(plain)
  const old = connectRaw({
    port: broker.port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: authority.pem,
    maxVersion: 'TLSv1.2',
  })
  const error = await new Promise<Error>((resolve) => old.once('error', resolve))
  t.match(error, { code: /PROTOCOL_VERSION|ECONNRESET/ })
})

t.test('revocation ends live connections at once, and no others', async (t) => {
  const there = await tlsBroker(t)
  const mine = await credentialsFrom(there.authority, device('pi-1'), there.clock)
  const bad = await connectTls(t, there, 'default/pi-1', mine)
  const good = await connectTls(
    t,
    there,
    'default/pi-2',
    await credentialsFrom(there.authority, device('pi-2'), there.clock),
  )
  there.revoked.add(mine.serial)
  t.equal(there.broker.recheck(), 1)
  await ended(bad)
  t.ok(good.connected)
  await t.rejects(connectTls(t, there, 'default/pi-1', mine), { code: 5 })
})

t.test('a connection does not outlive its certificate', async (t) => {
  const there = await tlsBroker(t, { limits: { sweepMs: 5 } })
  const mine = await credentialsFrom(there.authority, device('pi-1'), there.clock, 30)
  const client = await connectTls(t, there, 'default/pi-1', mine)
  there.clock.goDays(31)
  await ended(client)
  t.strictSame(there.broker.connectedClients(), [])
})

t.test('who has no certificate stays small: few of them, few words, not for long', async (t) => {
  const limits = { joining: 2, joiningMessages: 2, joiningMs: 600_000 }
  const there = await tlsBroker(t, { limits })
  const heard: string[] = []
  await there.broker.subscribeJoins('default', (topic) => heard.push(topic))
  const joiner = await connectTls(t, there, 'join:default:j1')
  await connectTls(t, there, 'join:default:j2')
  await t.rejects(connectTls(t, there, 'join:default:j3'), { code: 5 })
  const topic = printJoinTopic({ fleet: 'default', joiner: 'j1', channel: 'request' })
  for (let i = 0; i < 4; i += 1) await joiner.publishAsync(topic, `${i}`, { qos: 1 })
  t.strictSame(heard, [topic, topic])
  // As before it was let in: 16 KiB, which is past what any request needs.
  joiner.publish(topic, Buffer.alloc(20_000))
  await ended(joiner)

  const impatient = await tlsBroker(t, { limits: { joiningMs: 1 } })
  await ended(await connectTls(t, impatient, 'join:default:j1'))
})

t.test(
  'a new server certificate is shown to new connections, and keeps the old ones',
  async (t) => {
    const there = await tlsBroker(t)
    const mine = await credentialsFrom(there.authority, device('pi-1'), there.clock)
    const client = await connectTls(t, there, 'default/pi-1', mine)
    const shown = await shownBy(there)
    const folder = folderOf(t)
    const { authority, clock } = there
    const server = await ensureServerCertificate(folder, authority, serverNames([]), clock.now())
    there.broker.renewCertificate({ ...server, ca: authority.pem })
    t.not(await shownBy(there), shown)
    t.ok(client.connected)
    await client.publishAsync(topicOf('pi-1', 'birth'), 'x', { qos: 1 })
    // Who is asked for after it still shows a certificate that is believed.
    const other = await credentialsFrom(authority, device('pi-2'), clock)
    await connectTls(t, there, 'default/pi-2', other)
  },
)

t.test('a flood of half-open handshakes is counted before it costs anything', async (t) => {
  const there = await tlsBroker(t, { limits: { connections: 3, connectTimeoutMs: 600_000 } })
  for (let i = 0; i < 3; i += 1) await halfOpen(t, there)
  const mine = await credentialsFrom(there.authority, device('pi-1'), there.clock)
  await t.rejects(connectTls(t, there, 'default/pi-1', mine))
  t.match(there.logged, [{ reason: 'too-many-connections' }])
})

async function halfOpen(t: Test, { broker }: TlsBroker): Promise<void> {
  const socket = connect(broker.port, '127.0.0.1')
  socket.on('error', () => {})
  t.teardown(() => socket.destroy())
  await new Promise((resolve) => socket.once('connect', resolve))
}
async function shownBy({ broker, authority }: TlsBroker): Promise<string> {
  const socket = connectRaw({
    port: broker.port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: authority.pem,
  })
  await new Promise((resolve, reject) => {
    socket.once('secureConnect', resolve)
    socket.once('error', reject)
  })
  const { fingerprint256 } = socket.getPeerCertificate()
  socket.destroy()
  return fingerprint256
}
