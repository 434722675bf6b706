import type { Test } from 'tap'
import { type BrokerOptions, believeCertificates, stillBelieved } from '../../../broker/index.ts'
import { startBroker } from '../../../broker/start-broker.ts'
import {
  ensureServerCertificate,
  openEnrollment,
  serverNames,
} from '../../../planner/identity/index.ts'
import { folderOf, type TlsBroker } from '../../broker/tls-broker.ts'
import { TestClock } from '../../clock.ts'
import { FLEET, type Registry, registryOf } from '../../planner/identity/registry.ts'
import { log } from '../quiet-log.ts'

export interface JoinableFleet extends Registry {
  readonly broker: TlsBroker['broker']
  readonly url: string
  /** A pasteable token for this fleet. */
  token(device?: string): Promise<string>
}

/** Everything a device joins: authority, broker with TLS, and who answers requests. */
export async function joinableFleet(
  t: Test,
  options: Partial<BrokerOptions> = {},
): Promise<JoinableFleet> {
  const clock = new TestClock()
  const registry = await registryOf(t, clock)
  const { authority, revocations, registrar } = registry
  const { now } = clock
  const isRevoked = (serial: string) => revocations.has(serial)
  const server = await ensureServerCertificate(folderOf(t), authority, serverNames([]), now())
  const broker = await startBroker({
    fleets: [FLEET],
    tls: { ...server, ca: authority.pem },
    authenticate: believeCertificates({
      fleets: [FLEET],
      authority: authority.pem,
      isRevoked,
      now,
    }),
    isWelcome: stillBelieved({ isRevoked, now }),
    ...options,
  })
  revocations.listen(() => broker.recheck())
  const enrollment = await openEnrollment(broker, registrar, { fleet: FLEET, log })
  t.teardown(async () => {
    await enrollment.close()
    await broker.close()
  })
  const url = `mqtts://127.0.0.1:${broker.port}`
  return { ...registry, broker, url, token: (device) => registry.invite(device, url) }
}
