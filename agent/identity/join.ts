import type { KeyObject, X509Certificate } from 'node:crypto'
import { UsageError } from '../../shared/errors.ts'
import {
  commonNameOf,
  fetchAuthority,
  IdentityError,
  type JoinToken,
  joinKeyOf,
  parseJoinToken,
  signEndorsement,
} from '../../shared/identity/index.ts'
import { newId } from '../../shared/ids.ts'
import type { CertificateWish } from '../../shared/messages/index.ts'
import { type SigningKey, signPayload } from '../../shared/signatures/index.ts'
import { addressOf, openTrusted } from './broker-socket.ts'
import { makeKeyWithRequest } from './certificate-request.ts'
import { exchange } from './exchange.ts'
import { granted } from './granted.ts'
import {
  type DeviceIdentity,
  type PendingJoin,
  readIdentity,
  readPending,
  writeIdentity,
  writePending,
} from './identity-file.ts'

export interface JoinOptions {
  /** As it was pasted. */
  readonly token: string
  /** Name of this device, where the token does not say it. */
  readonly device: string | undefined
  readonly stateDir: string
  readonly timeoutMs: number
  /** What the device was made with, of the operator's own authority. */
  readonly endorsement?: DeviceEndorsement | undefined
}

export interface DeviceEndorsement {
  /** The device's certificate, then those that lead to the authority. */
  readonly certificates: readonly X509Certificate[]
  readonly key: KeyObject
}

/**
 * Makes a key, gets its certificate, and leaves in the state directory all that the agent needs to run.
 * Stopped at any moment, it can be said again with the same token.
 * @throws IdentityError with the planner's code for a refusal; UsageError
 */
export async function joinFleet(options: JoinOptions): Promise<DeviceIdentity> {
  const { stateDir, timeoutMs } = options
  const token = parseJoinToken(options.token)
  const { endorsement } = options
  const ownName = endorsement?.certificates[0] && commonNameOf(endorsement.certificates[0])
  const device = deviceFor(token, options.device ?? ownName)
  const tokenKey = joinKeyOf(token.secret)
  const before = readIdentity(stateDir)
  if (before?.token === tokenKey.trusted.keyId) return before
  const { broker, fleet, trust } = token
  // The same device again, after its certificate expired or was revoked: it keeps all it has but its key.
  const isAgain = before?.device === device && before.fleet === fleet && before.trust === trust
  if (before !== undefined && !isAgain) throw alreadyJoined(before, stateDir)
  const authority = await fetchAuthority(
    { url: broker, address: addressOf(broker) },
    token.authority,
    timeoutMs,
  )
  const { key, csr } = await pendingFor(stateDir, tokenKey, device)
  const wish: CertificateWish = { fleet, device, csr }
  const payload = JSON.stringify(wish)
  const answer = await exchange({
    url: broker,
    fleet,
    timeoutMs,
    request: {
      v: 1,
      id: newId(),
      kind: 'join',
      signed: signPayload(payload, tokenKey, 'join'),
      ...(endorsement && { endorsement: endorse(payload, endorsement) }),
    },
    open: () => openTrusted(broker, authority),
  })
  const certificate = granted(answer, { fleet, device, key, authority })
  const member = answer.outcome === 'issued' ? answer.broker : undefined
  const identity: DeviceIdentity = {
    v: 1,
    broker: member ?? broker,
    ...(member !== undefined && { door: broker }),
    fleet,
    device,
    trust,
    authority,
    certificate,
    key,
    token: tokenKey.trusted.keyId,
  }
  await writeIdentity(stateDir, identity)
  return identity
}

function endorse(payload: string, { certificates, key }: DeviceEndorsement) {
  return {
    certificates: certificates.map(({ raw }) => raw.toString('base64')),
    signature: signEndorsement(payload, key),
  }
}

function deviceFor(token: JoinToken, given: string | undefined): string {
  const device = given ?? token.device
  if (device === undefined) {
    throw new UsageError('--device must be given: this token lets the device choose its name')
  }
  if (token.device !== undefined && token.device !== device) {
    throw new UsageError(`this token was made for ${token.device}, not for ${device}`)
  }
  return device
}

/** The key is on disk before anybody hears of it: an answer that is lost can be asked for again. */
async function pendingFor(
  stateDir: string,
  tokenKey: SigningKey,
  device: string,
): Promise<PendingJoin> {
  const token = tokenKey.trusted.keyId
  const before = readPending(stateDir)
  if (before?.token === token && before.device === device) return before
  const pending = { v: 1, token, device, ...(await makeKeyWithRequest(device)) } as const
  await writePending(stateDir, pending)
  return pending
}

function alreadyJoined({ fleet, device }: DeviceIdentity, stateDir: string): IdentityError {
  return new IdentityError(
    'already-joined',
    `this state directory belongs to ${fleet}/${device}: choose another --state-dir, or remove ${stateDir}/identity first`,
    { fleet, device },
  )
}
