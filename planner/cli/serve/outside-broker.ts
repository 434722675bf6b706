import type { Logger } from 'pino'
import { UsageError } from '../../../shared/errors.ts'
import { type FleetConnection, RelayedJoins } from '../../fleet/index.ts'
import { openEnrollment, type PlannerIdentity } from '../../identity/index.ts'
import type { OpenedBroker } from './embedded-broker.ts'
import { keepMosquitto } from './mosquitto-folder.ts'

const TLS_PORT = 8883

/** Where devices without a certificate ask: the listener beside the one of `url`, unless it is said. */
export function joinUrl(url: string, given: string | undefined): string {
  const parsed = URL.canParse(given ?? url) ? new URL(given ?? url) : undefined
  if (parsed?.protocol !== 'mqtts:') {
    throw new UsageError(`"${given ?? url}" is no broker with TLS: use mqtts://host[:port]`)
  }
  if (given !== undefined) return given
  const port = Number(parsed.port || TLS_PORT) + 1
  return `mqtts://${parsed.hostname}:${port}`
}

export interface OutsideBrokerOptions {
  readonly url: string
  readonly fleet: string
  readonly log: Logger
  /** Folder of the Mosquitto that is this broker, where it runs on this machine. */
  readonly mosquitto?: string | undefined
  /** Who joins is answered by one of several planners; default: all by this one. */
  readonly isMine?: (joiner: string) => boolean
}

/** A broker elsewhere that goes by certificates: the planner shows one of its own, and answers who asks for one. */
export async function openOutsideBroker(
  identity: PlannerIdentity,
  { url, fleet, log, mosquitto, isMine }: OutsideBrokerOptions,
): Promise<OpenedBroker> {
  const kept =
    mosquitto === undefined
      ? undefined
      : await keepMosquitto({ dir: mosquitto, url, fleet, identity, log })
  const joins = new RelayedJoins()
  const enrollment = await openEnrollment(joins, identity.registrar, {
    ...{ fleet, log },
    ...(isMine && { isMine }),
  })
  const connection: FleetConnection = {
    kind: 'mqtt',
    url,
    tls: await identity.clientTls(),
    joins,
  }
  return {
    connection,
    url,
    async close() {
      kept?.close()
      await enrollment.close()
    },
  }
}
