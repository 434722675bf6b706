import { invite, type PlannerIdentity } from '../identity/index.ts'
import { audit } from '../storage/index.ts'
import type { Call } from './call.ts'
import type { OperationInput, OperationOutput } from './contract.ts'
import { ApiError } from './errors.ts'

const HOUR_MS = 3_600_000

/** @throws ApiError `no-tls` */
export async function inviteDevice(
  { device, hours }: OperationInput<'devices.invite'>,
  { context, info, identity, actor }: Call,
): Promise<OperationOutput<'devices.invite'>> {
  const { fleet, trust } = info
  const broker = info.joinBroker ?? info.broker
  const { authority } = needed(identity)
  if (!broker.startsWith('mqtts:')) throw noTls()
  const place = { broker, fleet, trust, authority: authority.pin }
  const wish = { device, lifetimeMs: hours * HOUR_MS, by: actor }
  const { token, expiresAt } = await invite(context.db, place, wish, context.now())
  return { token, device, expiresAt: expiresAt.toISOString() }
}

export async function revokeDevice(
  { device, reason }: OperationInput<'devices.revoke'>,
  { identity, actor }: Call,
): Promise<OperationOutput<'devices.revoke'>> {
  const { revocations } = needed(identity)
  return { device, ...(await revocations.revokeDevice(device, actor, reason)) }
}

/** For a broker elsewhere: its certificate, and which ones of devices it must not believe. */
export async function brokerCredentials(
  { names }: OperationInput<'broker.credentials'>,
  { context, identity, actor }: Call,
): Promise<OperationOutput<'broker.credentials'>> {
  const tls = await needed(identity).brokerTls(names)
  const detail = { names, revoked: tls.revokedCount }
  const entry = { actor, action: 'broker.credentials', subject: 'mosquitto', detail }
  await audit.writeAudit(context.db, entry, context.now())
  return {
    authority: tls.ca,
    certificate: tls.cert,
    key: tls.key,
    validUntil: tls.notAfter.toISOString(),
    revoked: tls.revoked,
    revokedCount: tls.revokedCount,
  }
}

export function needed(identity: PlannerIdentity | undefined): PlannerIdentity {
  if (identity === undefined) throw noTls()
  return identity
}

function noTls(): ApiError {
  return new ApiError(
    'no-tls',
    'devices join over TLS only, and this planner’s broker has none: start it without --insecure-loopback',
  )
}
