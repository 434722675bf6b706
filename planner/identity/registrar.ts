import { digestOf } from '../../shared/digest.ts'
import {
  factsOf,
  IdentityError,
  type IdentityRefusalCode,
  refusal,
} from '../../shared/identity/index.ts'
import type { JoinAnswer, JoinRequest } from '../../shared/messages/index.ts'
import {
  audit,
  certificates,
  type Db,
  deviceLabels,
  joinTokens,
  type StoredJoinToken,
} from '../storage/index.ts'
import type { Authority } from './authority.ts'
import { issue } from './issue.ts'
import { keyOfCsr } from './read-csr.ts'
import type { Revocations } from './revocations.ts'
import { type ProvenWish, provenWish } from './verify-request.ts'

export interface RegistrarOptions {
  readonly db: Db
  readonly authority: Authority
  readonly revocations: Revocations
  readonly fleet: string
  /** Life of a device's certificate. */
  readonly days: number
  readonly now: () => Date
  /** Where devices connect once they have a certificate; absent: where they asked for it. */
  readonly memberBroker?: string | undefined
}

/** Gives certificates to devices: for a join token, or for the certificate they have. */
export class Registrar {
  readonly #options: RegistrarOptions

  constructor(options: RegistrarOptions) {
    this.#options = options
  }

  /** Never throws for what a device did: that is an answer. */
  async answer(request: JoinRequest): Promise<JoinAnswer> {
    try {
      const certificate = await this.#grant(request)
      const { memberBroker: broker } = this.#options
      const issued = { v: 1, request: request.id, outcome: 'issued', certificate } as const
      return broker === undefined ? issued : { ...issued, broker }
    } catch (error) {
      if (!(error instanceof IdentityError)) throw error
      const { code, message } = error
      return { v: 1, request: request.id, outcome: 'refused', error: { code, message } }
    }
  }

  async #grant(request: JoinRequest): Promise<string> {
    const proven = await provenWish(request, this.#options)
    const spki = await keyOfCsr(proven.wish.csr)
    const key = digestOf(spki)
    const before = proven.by === 'token' ? await this.#givenBefore(proven, key) : undefined
    return before ?? (await this.#issue(proven, spki, key))
  }

  /**
   * What this request was answered before: an answer may be lost, and asking again is no second use.
   * @throws IdentityError `join-token-used`, `join-token-expired`, `join-token-revoked`, `certificate-revoked`
   */
  async #givenBefore(
    { token, wish }: ProvenWish & { by: 'token' },
    key: string,
  ): Promise<string | undefined> {
    const { db, revocations, now } = this.#options
    const isForOne = token.uses === 1
    const used = isForOne ? token.used : await joinTokens.useBy(db, token.id, wish.device)
    if (used === null) {
      if (now() >= token.expiresAt) throw refusal(overBy(token))
      return undefined
    }
    const isSame = used.key === key && used.device === wish.device
    const otherwise = isForOne ? 'join-token-used' : 'device-name-taken'
    // Who shows what it was made with is who it says, whatever key it has now: it was set up anew.
    if (!isSame && token.authority !== null) {
      if (now() >= token.expiresAt) throw refusal(overBy(token))
      return undefined
    }
    if (!isSame) throw refusal(otherwise, { usedBy: used.device })
    if (revocations.has(used.serial)) throw refusal('certificate-revoked')
    return certificates.certificateOf(db, used.serial)
  }

  async #issue(proven: ProvenWish, spki: Buffer, key: string): Promise<string> {
    const { db, authority, fleet, days, now, revocations } = this.#options
    const { device } = proven.wish
    const at = now()
    const subject = { use: 'client', name: { role: 'device', fleet, device } } as const
    const certificate = await issue(authority, subject, spki, { now: at, days })
    const { serial, notAfter } = factsOf(certificate)
    const base64 = certificate.raw.toString('base64')
    const replaced = await db.transaction().execute(async (trx) => {
      const predecessors =
        proven.by === 'token'
          ? await this.#admit(trx, proven, { key, serial }, at)
          : await this.#succeed(trx, proven)
      const issued = { serial, device, certificate: base64, issuedAt: at, expiresAt: notAfter }
      await certificates.addCertificate(trx, issued)
      const action = proven.by === 'token' ? 'device.join' : 'device.renew'
      const detail = { serial, expiresAt: notAfter.toISOString(), replaced: predecessors.length }
      const entry = { actor: `device:${device}`, action, subject: device, detail }
      await audit.writeAudit(trx, entry, at)
      return predecessors
    })
    revocations.announce({ serials: replaced, device })
    return base64
  }

  /** It may have been revoked while its successor was made, which would then be out of reach. */
  async #succeed(
    trx: Db,
    { serial }: ProvenWish & { by: 'certificate' },
  ): Promise<readonly string[]> {
    if (await certificates.holdCertificate(trx, serial)) return []
    throw refusal('certificate-revoked')
  }

  /** Uses the token up, and takes from the device's predecessor what it had. Inside the transaction. */
  async #admit(
    trx: Db,
    { token, wish }: ProvenWish & { by: 'token' },
    use: { readonly key: string; readonly serial: string },
    at: Date,
  ): Promise<readonly string[]> {
    const { device } = wish
    const valid = await certificates.validCertificates(trx, device, at)
    const isProven = token.device !== null || token.authority !== null
    if (!isProven && valid.length > 0) throw refusal('device-name-taken', { device })
    if (token.authority !== null && (await certificates.isRevoked(trx, device))) {
      throw refusal('device-revoked', { device })
    }
    const mine = { ...use, device }
    const isGood =
      token.uses === 1
        ? await joinTokens.useJoinToken(trx, token.id, mine, at)
        : await joinTokens.useOneOf(trx, token, mine, at)
    if (!isGood) throw refusal(await this.#whyNot(trx, token, at))
    await deviceLabels.putLabelsOf(trx, device, await joinTokens.tokenLabels(trx, token.id))
    const why = { by: `device:${device}`, reason: 'joined anew' }
    await certificates.revokeCertificates(trx, valid, why, at)
    return valid
  }

  /** Of a token that was good a moment ago. */
  async #whyNot(trx: Db, { id, uses }: StoredJoinToken, at: Date): Promise<IdentityRefusalCode> {
    const token = await joinTokens.findJoinToken(trx, id)
    if (token && at >= token.expiresAt) return overBy(token)
    return uses === 1 ? 'join-token-used' : 'join-token-used-up'
  }
}

function overBy({ isRevoked }: StoredJoinToken): IdentityRefusalCode {
  return isRevoked ? 'join-token-revoked' : 'join-token-expired'
}
