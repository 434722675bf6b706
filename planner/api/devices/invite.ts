import { UsageError } from '../../../shared/errors.ts'
import { certificatesIn } from '../../../shared/identity/index.ts'
import { type InvitePlace, invite, type PlannerIdentity } from '../../identity/index.ts'
import { audit, certificates, devices as deviceRows } from '../../storage/index.ts'
import type { Call } from '../call/call.ts'
import type { OperationInput, OperationOutput } from '../contract/contract.ts'
import { ApiError } from '../contract/errors.ts'

const HOUR_MS = 3_600_000

/** @throws ApiError `no-tls` */
export async function inviteDevice(
  { device, hours, uses = 1, labels = {}, authority }: OperationInput<'devices.invite'>,
  call: Call,
): Promise<OperationOutput<'devices.invite'>> {
  const { context, actor } = call
  if (device !== null && uses > 1) {
    throw new UsageError('a token for one device is good once: leave out the device, or the uses')
  }
  const wish = {
    device,
    lifetimeMs: hours * HOUR_MS,
    by: actor,
    uses,
    labels,
    ...(authority && { authority }),
  }
  if (authority) requireAuthority(authority.certificate)
  const { token, expiresAt } = await invite(context.db, placeOf(call), wish, context.now())
  return { token, device, expiresAt: expiresAt.toISOString() }
}

/** @throws UsageError where it is no authority's certificate */
function requireAuthority(pem: string): void {
  const problem = problemOf(pem)
  if (problem !== undefined) throw new UsageError(`the authority ${problem}`)
}

function problemOf(pem: string): string | undefined {
  try {
    const [certificate, ...more] = certificatesIn(pem)
    if (certificate === undefined || more.length > 0) return 'is not one certificate in PEM'
    return certificate.ca ? undefined : 'is no certificate of an authority (CA:TRUE)'
  } catch {
    return 'cannot be read: give one certificate in PEM'
  }
}

/** A token for each; who has the name already keeps its record, its labels and its history. */
export async function inviteMany(
  { devices, hours }: OperationInput<'devices.inviteMany'>,
  call: Call,
): Promise<OperationOutput<'devices.inviteMany'>> {
  const { db, now } = call.context
  const place = placeOf(call)
  const known = new Set(await deviceRows.knownDevices(db))
  const made = []
  for (const { device, labels } of devices) {
    const wish = { device, lifetimeMs: hours * HOUR_MS, by: call.actor, labels }
    const { token, expiresAt } = await invite(db, place, wish, now())
    const isKnown = known.has(device)
    made.push({ device, token, expiresAt: expiresAt.toISOString(), isKnown })
  }
  return made
}

/** @throws ApiError `no-tls` */
function placeOf({ info, identity }: Call): InvitePlace {
  const { fleet, trust } = info
  const broker = info.joinBroker ?? info.broker
  const { authority } = needed(identity)
  if (!broker.startsWith('mqtts:')) throw noTls()
  return { broker, fleet, trust, authority: authority.pin }
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
    believed: [...(await certificates.believedDevices(context.db, context.now()))],
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
