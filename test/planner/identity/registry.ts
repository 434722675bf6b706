import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { Test } from 'tap'
import {
  type KeyWithRequest,
  makeKeyWithRequest,
} from '../../../agent/identity/certificate-request.ts'
import {
  type Authority,
  invite,
  openAuthority,
  Registrar,
  Revocations,
} from '../../../planner/identity/index.ts'
import { type Db, openDatabase } from '../../../planner/storage/index.ts'
import { digestOf } from '../../../shared/digest.ts'
import { joinKeyOf, parseJoinToken, signRenewal } from '../../../shared/identity/index.ts'
import { newId } from '../../../shared/ids.ts'
import type { JoinAnswer, JoinRequest } from '../../../shared/messages/index.ts'
import { signPayload } from '../../../shared/signatures/index.ts'
import { printTrustPin } from '../../../shared/trust/index.ts'
import { folderOf } from '../../broker/tls-broker.ts'
import { TestClock } from '../../clock.ts'

export const FLEET = 'default'
export const trust = printTrustPin(digestOf('an anchor'))

export interface Registry {
  readonly db: Db
  readonly clock: TestClock
  readonly authority: Authority
  readonly revocations: Revocations
  readonly registrar: Registrar
  invite(device?: string, broker?: string, hours?: number): Promise<string>
}

/** Who gives certificates, on a database of this test's own. */
export async function registryOf(t: Test, clock = new TestClock()): Promise<Registry> {
  const folder = folderOf(t)
  const database = await openDatabase({ data: folder })
  t.teardown(() => database.close())
  const { db } = database
  const { now } = clock
  const authority = await openAuthority(folder, now)
  const revocations = await Revocations.load(db, now)
  const registrar = new Registrar({ db, authority, revocations, fleet: FLEET, days: 30, now })
  return {
    db,
    clock,
    authority,
    revocations,
    registrar,
    async invite(device, broker = 'mqtts://localhost:1', hours = 24) {
      const place = { broker, fleet: FLEET, authority: authority.pin, trust }
      const wish = { device: device ?? null, lifetimeMs: hours * 3_600_000, by: 'cli:tester' }
      return (await invite(db, place, wish, now())).token
    },
  }
}

/** The request an agent makes of a token. */
export async function joinRequest(
  token: string,
  device: string,
  made?: KeyWithRequest,
  fleet = FLEET,
): Promise<JoinRequest & { kind: 'join' }> {
  const { csr } = made ?? (await makeKeyWithRequest(device))
  const wish = JSON.stringify({ fleet, device, csr })
  const signed = signPayload(wish, joinKeyOf(parseJoinToken(token).secret), 'join')
  return { v: 1, id: newId(), kind: 'join', signed }
}

/** The request an agent makes with the certificate it has. */
export async function renewRequest(
  present: { readonly cert: string; readonly key: string },
  device: string,
  fleet = FLEET,
): Promise<JoinRequest & { kind: 'renew' }> {
  const { csr } = await makeKeyWithRequest(device)
  const payload = JSON.stringify({ fleet, device, csr })
  return {
    v: 1,
    id: newId(),
    kind: 'renew',
    certificate: new X509Certificate(present.cert).raw.toString('base64'),
    payload,
    signature: signRenewal(payload, createPrivateKey(present.key)),
  }
}

/** The code of a refusal, or `issued`. */
export function verdict(answer: JoinAnswer): string {
  return answer.outcome === 'issued' ? 'issued' : answer.error.code
}

export function certificateIn(answer: JoinAnswer): X509Certificate {
  if (answer.outcome === 'refused') throw new Error(answer.error.code)
  return new X509Certificate(Buffer.from(answer.certificate, 'base64'))
}
