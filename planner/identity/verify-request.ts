import { X509Certificate } from 'node:crypto'
import {
  factsOf,
  isForClients,
  isIssuedBy,
  judgeTime,
  refusal,
  verifyRenewal,
} from '../../shared/identity/index.ts'
import { parseJson } from '../../shared/json.ts'
import {
  type CertificateWish,
  certificateWishSchema,
  type JoinRequest,
} from '../../shared/messages/index.ts'
import { parseTrustedKey, SignatureError, verifySigned } from '../../shared/signatures/index.ts'
import { type Db, joinTokens, type StoredJoinToken } from '../storage/index.ts'
import type { Authority } from './authority.ts'
import type { Revocations } from './revocations.ts'

/** A wish, and what speaks for it. */
export type ProvenWish =
  | { readonly by: 'token'; readonly wish: CertificateWish; readonly token: StoredJoinToken }
  | { readonly by: 'certificate'; readonly wish: CertificateWish; readonly serial: string }

interface Place {
  readonly db: Db
  readonly authority: Authority
  readonly revocations: Revocations
  readonly fleet: string
  readonly now: () => Date
}

/** @throws IdentityError saying why nothing speaks for it */
export async function provenWish(request: JoinRequest, place: Place): Promise<ProvenWish> {
  const proven =
    request.kind === 'join' ? await byToken(request, place) : byCertificate(request, place)
  if (proven.wish.fleet !== place.fleet) throw refusal('wrong-fleet')
  return proven
}

async function byToken(
  { signed }: JoinRequest & { kind: 'join' },
  { db }: Place,
): Promise<ProvenWish> {
  const token = await joinTokens.findJoinToken(db, signed.keyId)
  if (token === undefined) throw refusal('join-token-unknown')
  const wish = readWish(verified(signed, token))
  if (token.device !== null && token.device !== wish.device) {
    throw refusal('join-token-other-device', { device: token.device })
  }
  return { by: 'token', wish, token }
}

function verified(
  signed: Extract<JoinRequest, { kind: 'join' }>['signed'],
  token: StoredJoinToken,
): string {
  try {
    return verifySigned(signed, parseTrustedKey(token.publicKey), 'join')
  } catch (error) {
    if (error instanceof SignatureError) throw refusal('bad-proof')
    throw error
  }
}

function byCertificate(
  request: JoinRequest & { kind: 'renew' },
  { authority, revocations, fleet, now }: Place,
): ProvenWish {
  const certificate = readCertificate(request.certificate)
  if (!isIssuedBy(certificate, authority.certificate) || !isForClients(certificate)) {
    throw refusal('certificate-foreign')
  }
  const facts = factsOf(certificate)
  if (revocations.has(facts.serial)) throw refusal('certificate-revoked')
  // One that is not valid yet was given while a clock was ahead: to be mended, not refused.
  if (judgeTime(facts, now()) === 'expired') throw refusal('certificate-expired')
  if (!verifyRenewal(request.payload, request.signature, certificate.publicKey)) {
    throw refusal('bad-proof')
  }
  const wish = readWish(request.payload)
  const { name } = facts
  const isOwn = name?.role === 'device' && name.device === wish.device && name.fleet === fleet
  if (!isOwn) throw refusal('certificate-wrong-name')
  return { by: 'certificate', wish, serial: facts.serial }
}

function readCertificate(base64: string): X509Certificate {
  try {
    return new X509Certificate(Buffer.from(base64, 'base64'))
  } catch {
    throw refusal('malformed-request')
  }
}

function readWish(payload: string): CertificateWish {
  try {
    return parseJson(certificateWishSchema, payload)
  } catch {
    throw refusal('malformed-request')
  }
}
