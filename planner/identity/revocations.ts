import { audit, certificates, type Db, joinTokens } from '../storage/index.ts'

export interface Revocation {
  readonly serials: readonly string[]
  readonly device: string
}

/**
 * Which certificates are no longer believed. In memory, because a broker asks at every connect; in the
 * database, because that is the truth.
 */
export class Revocations {
  readonly #db: Db
  readonly #now: () => Date
  readonly #serials: Set<string>
  readonly #listeners = new Set<(revocation: Revocation) => void>()

  private constructor(db: Db, now: () => Date, serials: readonly string[]) {
    this.#db = db
    this.#now = now
    this.#serials = new Set(serials)
  }

  static async load(db: Db, now: () => Date): Promise<Revocations> {
    const known = await certificates.revokedCertificates(db, now())
    return new Revocations(
      db,
      now,
      known.map(({ serial }) => serial),
    )
  }

  serials(): readonly string[] {
    return [...this.#serials]
  }

  has(serial: string): boolean {
    return this.#serials.has(serial)
  }

  /** Told after each revocation is in the database; what is returned ends it. */
  listen(listener: (revocation: Revocation) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Takes every valid certificate from the device, and its unused tokens. */
  async revokeDevice(
    device: string,
    by: string,
    reason: string,
  ): Promise<{ readonly certificates: number; readonly tokens: number }> {
    const at = this.#now()
    const { serials, tokens } = await this.#db.transaction().execute(async (trx) => {
      const valid: string[] = []
      // A renewal that came in between has left one more.
      for (;;) {
        const found = await certificates.validCertificates(trx, device, at)
        if (found.length === 0) break
        await certificates.revokeCertificates(trx, found, { by, reason }, at)
        valid.push(...found)
      }
      const tokens = await joinTokens.expireJoinTokens(trx, device, at)
      const detail = { reason, certificates: valid.length, tokens }
      await audit.writeAudit(
        trx,
        { actor: by, action: 'devices.revoke', subject: device, detail },
        at,
      )
      return { serials: valid, tokens }
    })
    this.announce({ serials, device })
    return { certificates: serials.length, tokens }
  }

  /** These are in the database as revoked: from now on they are refused, and live connections with them end. */
  announce(revocation: Revocation): void {
    if (revocation.serials.length === 0) return
    for (const serial of revocation.serials) this.#serials.add(serial)
    for (const listener of this.#listeners) listener(revocation)
  }
}
