import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import type { Test } from 'tap'
import { believeCertificates, stillBelieved } from '../../broker/certificates.ts'
import { type Broker, type BrokerOptions, startBroker } from '../../broker/start-broker.ts'
import {
  type Authority,
  ensureServerCertificate,
  issue,
  openAuthority,
  type Subject,
  serverNames,
} from '../../planner/identity/index.ts'
import type { CertificateName } from '../../shared/identity/index.ts'
import { TestClock } from '../clock.ts'

export interface ClientCredentials {
  readonly cert: string
  readonly key: string
  readonly serial: string
}

export interface TlsBroker {
  readonly broker: Broker
  readonly authority: Authority
  readonly clock: TestClock
  readonly revoked: Set<string>
  /** What the broker logged. */
  readonly logged: { readonly reason?: string }[]
}

export function folderOf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'fit-id-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A broker that believes certificates, on real TLS sockets. */
export async function tlsBroker(t: Test, options: Partial<BrokerOptions> = {}): Promise<TlsBroker> {
  const folder = folderOf(t)
  const clock = new TestClock()
  const { now } = clock
  const authority = await openAuthority(folder, now)
  const server = await ensureServerCertificate(folder, authority, serverNames([]), now())
  const revoked = new Set<string>()
  const isRevoked = (serial: string) => revoked.has(serial)
  const fleets = options.fleets ?? ['default']
  const logged: { reason?: string }[] = []
  const broker = await startBroker({
    fleets,
    tls: { ...server, ca: authority.pem },
    authenticate: believeCertificates({ fleets, authority: authority.pem, isRevoked, now }),
    isWelcome: stillBelieved({ isRevoked, now }),
    log: recorder(logged),
    ...options,
  })
  t.teardown(() => broker.close())
  return { broker, authority, clock, revoked, logged }
}

export async function credentialsFrom(
  authority: Authority,
  subject: CertificateName | Subject,
  clock: TestClock,
  days = 30,
): Promise<ClientCredentials> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  const whole = 'use' in subject ? subject : ({ use: 'client', name: subject } as const)
  const certificate = await issue(authority, whole, spki, { now: clock.now(), days })
  const key = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
  return { cert: certificate.toString(), key, serial: certificate.serialNumber }
}

export function device(name: string, fleet = 'default'): CertificateName {
  return { role: 'device', fleet, device: name }
}

/** Over TLS, to a server that the authority vouches for. */
export async function connectTls(
  t: Test,
  { broker, authority }: Pick<TlsBroker, 'broker' | 'authority'>,
  clientId: string,
  options: IClientOptions = {},
): Promise<MqttClient> {
  const client = await connectAsync(`mqtts://localhost:${broker.port}`, {
    host: '127.0.0.1',
    servername: 'localhost',
    clientId,
    ca: authority.pem,
    reconnectPeriod: 0,
    ...options,
  })
  client.on('error', () => {})
  t.teardown(() => client.end(true))
  return client
}

export function ended(client: MqttClient): Promise<void> {
  return new Promise((resolve) => {
    if (!client.connected) resolve()
    else client.once('close', () => resolve())
  })
}

function recorder(logged: object[]): NonNullable<BrokerOptions['log']> {
  const note = (details: object) => void logged.push(details)
  const silent = () => {}
  const log = { warn: note, error: note, info: silent, debug: silent }
  return log as unknown as NonNullable<BrokerOptions['log']>
}
