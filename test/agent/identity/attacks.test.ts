import { type AddressInfo, connect as connectTcp, createServer } from 'node:net'
import t from 'tap'
import { identityEndpoint } from '../../../agent/identity/endpoint.ts'
import { joinFleet } from '../../../agent/identity/join.ts'
import { renewIdentity } from '../../../agent/identity/renew.ts'
import { DeviceLink } from '../../../agent/link/index.ts'
import { newId } from '../../../shared/ids.ts'
import { folderOf } from '../../broker/tls-broker.ts'
import { sampleBirth } from '../../shared/messages/samples.ts'
import { eventually, QUICK_BACKOFF } from '../device.ts'
import { log } from '../quiet-log.ts'
import { joinableFleet } from './joinable-fleet.ts'

/** Attacks on identity by name; those on what a device believes are in test/agent/daemon and test/agent/trust. */
t.test('eavesdrop: who sits on the wire reads nothing', async (t) => {
  const fleet = await joinableFleet(t)
  const heard: Buffer[] = []
  const wire = createServer((near) => {
    const far = connectTcp({ host: '127.0.0.1', port: fleet.broker.port })
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (bytes) => {
        heard.push(bytes)
        to.write(bytes)
      })
      from.on('close', () => to.destroy())
      from.on('error', () => to.destroy())
    }
  })
  await new Promise<void>((resolve) => wire.listen(0, '127.0.0.1', resolve))
  t.teardown(() => wire.close())
  const tapped = `mqtts://127.0.0.1:${(wire.address() as AddressInfo).port}`
  const stateDir = folderOf(t)
  const token = await fleet.invite('pi-1', tapped)
  const identity = await joinFleet({ token, device: undefined, stateDir, timeoutMs: 30_000 })
  let births = 0
  await fleet.broker.subscribe('default', 'birth', () => {
    births += 1
  })
  const link = new DeviceLink({
    endpoint: identityEndpoint(stateDir, identity),
    fleet: identity.fleet,
    device: identity.device,
    start: newId(),
    backoff: QUICK_BACKOFF,
    log,
    birth: async (epoch) => sampleBirth({ id: 'a-birth-to-look-for', epoch }),
    onOrder() {},
  })
  t.teardown(() => link.close())
  link.start()
  await eventually(() => births === 1)
  const wireBytes = Buffer.concat(heard)
  t.ok(wireBytes.length > 2_000, 'the whole conversation went over the tapped wire')
  for (const secret of ['fit/1/', 'a-birth-to-look-for', 'Raspberry Pi', 'PRIVATE KEY']) {
    t.notOk(wireBytes.includes(secret), `no "${secret}" in it`)
  }
})

t.test('stolen join token reused: join-token-used, and the device that joined stays', async (t) => {
  const fleet = await joinableFleet(t)
  const token = await fleet.token('pi-1')
  const join = (stateDir: string) =>
    joinFleet({ token, device: undefined, stateDir, timeoutMs: 30_000 })
  const own = folderOf(t)
  await join(own)
  await t.rejects(join(folderOf(t)), { code: 'join-token-used' })
  await t.resolves(renewIdentity(own, 30_000), 'its owner is not put out by the thief')
})

t.test('expired and revoked certificates get in no more, nor renew', async (t) => {
  const fleet = await joinableFleet(t)
  const joined = async (device: string) => {
    const stateDir = folderOf(t)
    const token = await fleet.token(device)
    await joinFleet({ token, device: undefined, stateDir, timeoutMs: 30_000 })
    return stateDir
  }
  const revoked = await joined('pi-1')
  await fleet.revocations.revokeDevice('pi-1', 'cli:tester', 'stolen')
  await t.rejects(renewIdentity(revoked, 30_000), { code: 'certificate-revoked' })
  const expired = await joined('pi-2')
  fleet.clock.goDays(40)
  await t.rejects(renewIdentity(expired, 30_000), { code: 'certificate-expired' })
})
