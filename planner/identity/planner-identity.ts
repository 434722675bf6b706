import { join } from 'node:path'
import type { Logger } from 'pino'
import { messageOf } from '../../shared/errors.ts'
import type { Db } from '../storage/index.ts'
import { type Authority, openAuthority } from './authority.ts'
import { ownCertificate } from './client-certificate.ts'
import { Registrar } from './registrar.ts'
import { revocationList } from './revocation-list.ts'
import { Revocations } from './revocations.ts'
import { ensureServerCertificate, serverNames } from './server-certificate.ts'
import type { ServerTls } from './server-tls.ts'

export interface PlannerIdentity {
  readonly authority: Authority
  readonly revocations: Revocations
  readonly registrar: Registrar
  /** The server certificate of the moment, for broker and operator API. */
  serverTls(): ServerTls
  /** The clock was set: what was made for another time is made anew. */
  lookAgain(): void
  /** Told when it was renewed. */
  onServerRenewed(listener: (tls: ServerTls) => void): void
  /** For the planner's own connection to a broker elsewhere. */
  clientTls(): Promise<ServerTls>
  /** In a device's own name, for minutes: to end the session of one that was revoked. */
  deviceTls(device: string): Promise<ServerTls>
  /** What a broker elsewhere needs: its certificate for these names, and what it must not believe. */
  brokerTls(names: readonly string[]): Promise<BrokerTls>
  close(): void
}

export interface BrokerTls extends ServerTls {
  readonly notAfter: Date
  /** PEM list of revoked certificates, and how many they are. */
  readonly revoked: string
  readonly revokedCount: number
}

export interface PlannerIdentityOptions {
  /** Data directory of the planner. */
  readonly data: string
  readonly db: Db
  readonly fleet: string
  /** Names and addresses by which devices and operators reach this machine, beside its own. */
  readonly names: readonly string[]
  /** Life of a device's certificate. */
  readonly days: number
  /** Where devices connect once they have a certificate; absent: where they asked for it. */
  readonly memberBroker?: string | undefined
  readonly now: () => Date
  readonly log: Logger
}

export const DEVICE_CERTIFICATE_DAYS = 30
export const IDENTITY_FOLDER = 'identity'
const HOUR_MS = 3_600_000
/** Its key ends with this process. */
const PLANNER_DAYS = 3650
/** A quarter of an hour: clocks of two machines may differ. */
const MOMENT_DAYS = 0.01

/**
 * Authority, server certificate and revocations of this planner; made on first start, the server's renewed
 * while it runs. @throws IdentityError `identity-unusable`
 */
export async function openPlannerIdentity(
  options: PlannerIdentityOptions,
): Promise<PlannerIdentity> {
  const { db, now, fleet, days, log } = options
  const folder = join(options.data, IDENTITY_FOLDER)
  const names = serverNames(options.names)
  const authority = await openAuthority(folder, now)
  const revocations = await Revocations.load(db, now)
  const registrar = new Registrar({
    db,
    authority,
    revocations,
    fleet,
    days,
    now,
    memberBroker: options.memberBroker,
  })
  let server = await ensureServerCertificate(folder, authority, names, now())
  const listeners = new Set<(tls: ServerTls) => void>()
  const serverTls = () => ({ key: server.key, cert: server.cert, ca: authority.pem })
  const renew = async () => {
    const next = await ensureServerCertificate(folder, authority, names, now())
    if (next.cert === server.cert) return
    server = next
    log.info({ until: next.notAfter }, 'server certificate renewed')
    for (const listener of listeners) listener(serverTls())
  }
  const lookAgain = () => {
    renew().catch((error) =>
      log.error({ reason: messageOf(error) }, 'server certificate not renewed'),
    )
  }
  const timer = setInterval(lookAgain, HOUR_MS).unref()
  return {
    authority,
    revocations,
    registrar,
    serverTls,
    lookAgain,
    onServerRenewed: (listener) => void listeners.add(listener),
    clientTls: () =>
      ownCertificate(authority, { role: 'planner', fleet }, { now: now(), days: PLANNER_DAYS }),
    deviceTls: (device) =>
      ownCertificate(
        authority,
        { role: 'device', fleet, device },
        { now: now(), days: MOMENT_DAYS },
      ),
    async brokerTls(given) {
      const place = join(folder, 'broker')
      const made = await ensureServerCertificate(place, authority, serverNames(given), now())
      const serials = revocations.serials()
      const revoked = await revocationList(authority, serials, now())
      return { ...made, ca: authority.pem, revoked, revokedCount: serials.length }
    },
    close: () => clearInterval(timer),
  }
}
