import { timingSafeEqual } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { digestOf } from '../shared/digest.ts'
import type { IdentityRefusalCode } from '../shared/identity/index.ts'
import { deviceIdSchema } from '../shared/ids.ts'

/** The certificate a client was let in by: it is let go when that expires or is revoked. */
export interface ShownCertificate {
  readonly serial: string
  readonly notAfter: Date
}

/** Who is at the other end of a connection, once it is let in. */
export type Identity =
  | {
      readonly role: 'device'
      readonly fleet: string
      readonly device: string
      readonly certificate?: ShownCertificate
    }
  | { readonly role: 'planner'; readonly fleet: string; readonly certificate?: ShownCertificate }
  /** Nobody yet: may ask for a certificate, and hear the answer. */
  | { readonly role: 'bootstrap'; readonly fleet: string; readonly joiner: string }

export type Role = Identity['role']

/** Clients that the planner speaks to one by one. */
export type Receiver = Exclude<Identity, { role: 'planner' }>

/** Why a client is not let in: for the log, and as far as MQTT has words for it, for the client. */
export interface Refused {
  readonly refused: IdentityRefusalCode
}

export interface Credentials {
  readonly clientId: string
  readonly username: string | undefined
  readonly password: Uint8Array | undefined
  /** The accepted socket: a TLS socket knows the peer's certificate. */
  readonly socket: Duplex
}

/** `undefined`: not let in, without a reason. */
export type Authenticate = (credentials: Credentials) => Promise<Identity | Refused | undefined>

export const PLANNER_USERNAME = 'planner'

/**
 * Believes client ids, for loopback and closed networks: a device is named by its client id,
 * `<device>` where the broker serves one fleet, `<fleet>/<device>` always. A planner logs in as
 * `planner` with the secret; its client id is `planner:<fleet>:<anything>`, which no device id can
 * look like, so that no device takes over a planner's session.
 */
export function believeClientIds(fleets: readonly string[], plannerSecret?: string): Authenticate {
  return async ({ clientId, username, password }) => {
    if (username === PLANNER_USERNAME) {
      const [role, fleet = ''] = clientId.split(':')
      const welcome = role === 'planner' && fleets.includes(fleet) && knows(plannerSecret, password)
      return welcome ? { role: 'planner', fleet } : undefined
    }
    const parts = clientId.split('/')
    const [fleet, device] = parts.length === 1 ? [onlyOne(fleets), parts[0]] : parts
    const legal = parts.length <= 2 && deviceIdSchema.safeParse(device).success
    if (!legal || fleet === undefined || device === undefined) return undefined
    return fleets.includes(fleet) ? { role: 'device', fleet, device } : undefined
  }
}

function onlyOne(fleets: readonly string[]): string | undefined {
  return fleets.length === 1 ? fleets[0] : undefined
}

/** Digests have one length, so the time says nothing about the secret. */
function knows(secret: string | undefined, password: Uint8Array | undefined): boolean {
  if (secret === undefined || password === undefined) return false
  return timingSafeEqual(Buffer.from(digestOf(secret)), Buffer.from(digestOf(password)))
}
