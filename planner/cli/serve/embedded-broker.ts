import { hostname } from 'node:os'
import type { Logger } from 'pino'
import {
  type Broker,
  believeCertificates,
  startBroker,
  stillBelieved,
} from '../../../broker/index.ts'
import type { Family } from '../../../shared/exposition/index.ts'
import { hostInUrl } from '../../../shared/http-listening.ts'
import type { FleetConnection } from '../../fleet/index.ts'
import { openEnrollment, type PlannerIdentity } from '../../identity/index.ts'

export interface EmbeddedBrokerOptions {
  readonly fleet: string
  readonly host: string
  readonly port: number
  /** Without: client ids are believed, which is for this machine alone. */
  readonly tls: boolean
  /** The name devices reach it under, where it listens on every address. */
  readonly name: string | undefined
  readonly log: Logger
}

export interface OpenedBroker {
  readonly connection: FleetConnection
  readonly url: string
  /** Absent: it runs elsewhere. */
  readonly figures?: () => readonly Family[]
  close(): Promise<void>
}

/** The broker of `fitment serve`, and with TLS whoever asks for a certificate. */
export async function openBroker(
  identity: PlannerIdentity,
  options: EmbeddedBrokerOptions,
): Promise<OpenedBroker> {
  const { fleet, host, port, tls, log } = options
  const scheme = tls ? 'mqtts' : 'mqtt'
  const broker = tls
    ? await openTls(identity, options)
    : await startBroker({ fleets: [fleet], host, port, log })
  const enrollment = tls
    ? await openEnrollment(broker, identity.registrar, { fleet, log })
    : undefined
  return {
    connection: { kind: 'embedded', broker },
    url: `${scheme}://${hostInUrl(options.name ?? reachable(host))}:${broker.port}`,
    figures: () => broker.figures(),
    async close() {
      await enrollment?.close()
      await broker.close()
    },
  }
}

async function openTls(
  identity: PlannerIdentity,
  { fleet, host, port, log }: EmbeddedBrokerOptions,
): Promise<Broker> {
  const { authority, revocations } = identity
  const now = () => new Date()
  const isRevoked = (serial: string) => revocations.has(serial)
  const broker = await startBroker({
    fleets: [fleet],
    host,
    port,
    tls: identity.serverTls(),
    authenticate: believeCertificates({
      fleets: [fleet],
      authority: authority.pem,
      isRevoked,
      now,
    }),
    isWelcome: stillBelieved({ isRevoked, now }),
    log,
  })
  revocations.listen(() => broker.recheck())
  identity.onServerRenewed((tls) => broker.renewCertificate(tls))
  return broker
}

/** An address that listens everywhere is none to connect to. */
export function reachable(host: string): string {
  return host === '0.0.0.0' || host === '::' ? hostname() : host
}
