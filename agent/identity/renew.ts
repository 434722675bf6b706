import { createPrivateKey, X509Certificate } from 'node:crypto'
import { IdentityError, signRenewal } from '../../shared/identity/index.ts'
import { newId } from '../../shared/ids.ts'
import { shellWord } from '../../shared/started-as.ts'
import { openTrusted } from './broker-socket.ts'
import { makeKeyWithRequest } from './certificate-request.ts'
import { exchange } from './exchange.ts'
import { granted } from './granted.ts'
import { type DeviceIdentity, readIdentity, writeIdentity } from './identity-file.ts'

/**
 * A new key and its certificate, asked for with the present one. Stopped at any moment, the present one stays.
 * @throws IdentityError `not-joined`, or the planner's code for a refusal
 */
export async function renewIdentity(stateDir: string, timeoutMs: number): Promise<DeviceIdentity> {
  const present = readIdentity(stateDir)
  if (present === undefined) {
    throw new IdentityError(
      'not-joined',
      `this device has not joined a fleet: run fitment-agent join TOKEN --state-dir ${shellWord(stateDir)}`,
    )
  }
  const { fleet, device, authority } = present
  const door = present.door ?? present.broker
  const { key, csr } = await makeKeyWithRequest(device)
  const payload = JSON.stringify({ fleet, device, csr })
  const answer = await exchange({
    url: door,
    fleet,
    timeoutMs,
    request: {
      v: 1,
      id: newId(),
      kind: 'renew',
      certificate: new X509Certificate(present.certificate).raw.toString('base64'),
      payload,
      signature: signRenewal(payload, createPrivateKey(present.key)),
    },
    open: () => openTrusted(door, authority),
  })
  const certificate = granted(answer, { fleet, device, key, authority })
  const identity = { ...present, certificate, key }
  await writeIdentity(stateDir, identity)
  return identity
}
