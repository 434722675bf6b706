import { X509Certificate } from 'node:crypto'
import {
  commonNameOf,
  factsOf,
  isForClients,
  isIssuedBy,
  judgeTime,
  leadsTo,
  refusal,
  verifyEndorsement,
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
  { signed, endorsement }: JoinRequest & { kind: 'join' },
  { db, now }: Place,
): Promise<ProvenWish> {
  const token = await joinTokens.findJoinToken(db, signed.keyId)
  if (token === undefined) throw refusal('join-token-unknown')
  const wish = readWish(verified(signed, token))
  if (token.device !== null && token.device !== wish.device) {
    throw refusal('join-token-other-device', { device: token.device })
  }
  if (token.authority !== null) {
    requireEndorsed({ ...token, authority: token.authority }, wish, { signed, endorsement }, now())
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

/** @throws IdentityError where nothing of the operator's own authority speaks for the device */
function requireEndorsed(
  { authority }: { readonly authority: NonNullable<StoredJoinToken['authority']> },
  { device }: CertificateWish,
  { signed, endorsement }: Pick<JoinRequest & { kind: 'join' }, 'signed' | 'endorsement'>,
  now: Date,
): void {
  if (endorsement === undefined) throw refusal('endorsement-missing')
  const shown = endorsement.certificates.map(readCertificate)
  const [leaf] = shown
  if (leaf === undefined || !leadsTo(shown, new X509Certificate(authority.certificate), now)) {
    throw refusal('endorsement-foreign')
  }
  if (!verifyEndorsement(signed.payload, endorsement.signature, leaf.publicKey)) {
    throw refusal('bad-proof')
  }
  if (commonNameOf(leaf) !== device) throw refusal('endorsement-wrong-name', { device })
  if (!authority.names.some((pattern) => isNamedBy(pattern, device))) {
    throw refusal('device-not-listed', { device })
  }
}

/** `press-*`: a star is any letters. */
function isNamedBy(pattern: string, device: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.]/g, '[.]'))
  return new RegExp(`^${parts.join('.*')}$`).test(device)
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
