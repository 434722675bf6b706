import t from 'tap'
import { identityEndpoint } from '../../../agent/identity/endpoint.ts'
import { joinFleet } from '../../../agent/identity/join.ts'
import { renewIdentity } from '../../../agent/identity/renew.ts'
import { DeviceLink, type LinkOptions } from '../../../agent/link/index.ts'
import { newId } from '../../../shared/ids.ts'
import { folderOf } from '../../broker/tls-broker.ts'
import { sampleBirth } from '../../shared/messages/samples.ts'
import { eventually, QUICK_BACKOFF } from '../device.ts'
import { joinableFleet } from './joinable-fleet.ts'

t.test(
  'the agent speaks under its certificate, renews it, and is silenced by revocation',
  async (t) => {
    const fleet = await joinableFleet(t, { limits: { sweepMs: 10 } })
    const stateDir = folderOf(t)
    const identity = await joinFleet({
      token: await fleet.token('pi-1'),
      device: undefined,
      stateDir,
      timeoutMs: 30_000,
    })
    const births: string[] = []
    const said: string[] = []
    await fleet.broker.subscribe('default', 'birth', (topic) => births.push(topic))
    const options: LinkOptions = {
      endpoint: identityEndpoint(stateDir, identity),
      fleet: identity.fleet,
      device: identity.device,
      start: newId(),
      backoff: QUICK_BACKOFF,
      log: {
        debug() {},
        info() {},
        error() {},
        warn: (_: unknown, text?: string) => void said.push(text ?? ''),
      },
      birth: async (epoch) => sampleBirth({ id: newId(), epoch }),
      onOrder() {},
    }
    const link = new DeviceLink(options)
    t.teardown(() => link.close())
    const connections = () =>
      fleet.broker.connectedClients().filter(({ role }) => role === 'device')
    const serial = () => {
      const [client] = connections()
      return client?.role === 'device' ? client.certificate?.serial : undefined
    }
    link.start()
    await eventually(() => births.length === 1)
    t.strictSame(births, ['fit/1/default/d/pi-1/birth'])
    const first = serial()

    fleet.clock.goDays(20)
    await renewIdentity(stateDir, 30_000)
    t.equal(serial(), first, 'renewing does not disturb the connection')
    fleet.clock.goDays(11)
    await eventually(() => births.length === 2)
    t.not(serial(), first, 'when the old one ends, it comes back with the new one')

    await fleet.revocations.revokeDevice('pi-1', 'cli:tester', 'stolen')
    await eventually(() => connections().length === 0)
    await t.rejects(renewIdentity(stateDir, 30_000), { code: 'certificate-revoked' })
    t.equal(births.length, 2)
    await eventually(() => said.some((text) => /was revoked.*join again/.test(text)))
  },
)
