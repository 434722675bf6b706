import { UsageError } from '../../../shared/errors.ts'
import { certificatesIn } from '../../../shared/identity/index.ts'
import { type InvitePlace, invite, type PlannerIdentity } from '../../identity/index.ts'
import { audit, certificates, devices as deviceRows, joinTokens } from '../../storage/index.ts'
import type { Call } from '../call/call.ts'
import type { OperationInput, OperationOutput } from '../contract/contract.ts'
import type { InviteState } from '../contract/device-operations.ts'
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
  const { id, token, expiresAt } = await invite(context.db, placeOf(call), wish, context.now())
  return { id, token, device, expiresAt: expiresAt.toISOString() }
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

const STATES: readonly (readonly [InviteState, (row: Listed, now: string) => boolean])[] = [
  ['revoked', ({ revoked }) => revoked !== null],
  ['used-up', ({ used, uses }) => used >= uses],
  // A newer one was made for its device, or the device was revoked.
  ['void', ({ expiresAt, createdAt }) => expiresAt <= createdAt],
  ['expired', ({ expiresAt }, now) => expiresAt <= now],
]
type Listed = Awaited<ReturnType<typeof joinTokens.listJoinTokens>>[number]

/** The newest first; those that still let somebody in, or all. */
export async function listInvites(
  { all = false }: OperationInput<'invites.list'>,
  { context }: Call,
): Promise<OperationOutput<'invites.list'>> {
  const now = context.now().toISOString()
  const rows = (await joinTokens.listJoinTokens(context.db)).map((row) => {
    const state: InviteState = STATES.find(([, holds]) => holds(row, now))?.[0] ?? 'good'
    const { names, labels, revoked, ...rest } = row
    return { ...rest, state, labels: { ...labels }, names: names && [...names], revoked }
  })
  return all ? rows : rows.filter(({ state }) => state === 'good')
}

/** Nobody joins by it any more; who has joined stays. @throws ApiError `nothing-to-do` */
export async function revokeInvite(
  { invite: prefix, reason }: OperationInput<'invites.revoke'>,
  { context, actor }: Call,
): Promise<OperationOutput<'invites.revoke'>> {
  const { db, now } = context
  const found = (await joinTokens.listJoinTokens(db)).filter(({ id }) => id.startsWith(prefix))
  const [one, ...more] = found
  if (one === undefined || more.length > 0) {
    const what = one === undefined ? 'no token begins with' : `${found.length} tokens begin with`
    throw new ApiError('nothing-to-do', `${what} ${prefix}: see fitment invites list`)
  }
  if (one.revoked) {
    const { at, by } = one.revoked
    throw new ApiError('nothing-to-do', `${prefix} was revoked already, ${at} by ${by}`)
  }
  await db.transaction().execute(async (trx) => {
    await joinTokens.revokeJoinToken(trx, one.id, { by: actor, reason }, now())
    const detail = { token: one.id.slice(0, 12), reason, used: one.used, uses: one.uses }
    const entry = { actor, action: 'invites.revoke', subject: one.device ?? 'fleet', detail }
    await audit.writeAudit(trx, entry, now())
  })
  return { id: one.id, device: one.device, used: one.used, uses: one.uses }
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
