import type { Db } from './tables.ts'

export interface IssuedCertificate {
  readonly serial: string
  readonly device: string
  /** DER, base64. */
  readonly certificate: string
  readonly issuedAt: Date
  readonly expiresAt: Date
}

export async function addCertificate(db: Db, issued: IssuedCertificate): Promise<void> {
  await db
    .insertInto('certificates')
    .values({
      serial: issued.serial,
      device: issued.device,
      certificate: issued.certificate,
      issued_at: issued.issuedAt.toISOString(),
      expires_at: issued.expiresAt.toISOString(),
      revoked_at: null,
      revoked_by: null,
      reason: null,
    })
    .execute()
}

/** DER in base64. */
export async function certificateOf(db: Db, serial: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('certificates')
    .select('certificate')
    .where('serial', '=', serial)
    .executeTakeFirst()
  return row?.certificate
}

/** Serials of the device's certificates that neither expired nor were revoked. */
export async function validCertificates(db: Db, device: string, at: Date): Promise<string[]> {
  const rows = await db
    .selectFrom('certificates')
    .select('serial')
    .where('device', '=', device)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', at.toISOString())
    .execute()
  return rows.map(({ serial }) => serial)
}

export async function revokeCertificates(
  db: Db,
  serials: readonly string[],
  why: { readonly by: string; readonly reason: string },
  at: Date,
): Promise<void> {
  if (serials.length === 0) return
  await db
    .updateTable('certificates')
    .set({ revoked_at: at.toISOString(), revoked_by: why.by, reason: why.reason })
    .where('serial', 'in', [...serials])
    .where('revoked_at', 'is', null)
    .execute()
}

/** Devices that have a certificate or were invited by name: whom a broker elsewhere is to know. */
export async function believedDevices(db: Db, at: Date): Promise<ReadonlySet<string>> {
  const time = at.toISOString()
  const certified = await db
    .selectFrom('certificates')
    .select('device')
    .distinct()
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', time)
    .execute()
  const invited = await db
    .selectFrom('join_tokens')
    .select('device')
    .where('device', 'is not', null)
    .where('used_at', 'is', null)
    .where('expires_at', '>', time)
    .execute()
  return new Set([...certified, ...invited].flatMap(({ device }) => device ?? []).sort())
}

/** Serials of all that were revoked, with the time; those that have expired since are refused for that anyway. */
export async function revokedCertificates(
  db: Db,
  at: Date,
): Promise<readonly { readonly serial: string; readonly revokedAt: Date }[]> {
  const rows = await db
    .selectFrom('certificates')
    .select(['serial', 'revoked_at'])
    .where('revoked_at', 'is not', null)
    .where('expires_at', '>', at.toISOString())
    .execute()
  return rows.map((row) => ({ serial: row.serial, revokedAt: new Date(row.revoked_at ?? 0) }))
}

/**
 * True for one that was given and not taken back; nobody takes it back before this transaction ends, since a
 * row that is written is locked.
 */
export async function holdCertificate(trx: Db, serial: string): Promise<boolean> {
  const held = await trx
    .updateTable('certificates')
    .set({ revoked_at: null })
    .where('serial', '=', serial)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  return held.numUpdatedRows === 1n
}

/** The last certificate it was given was taken from it: it is not let in, whatever it says. */
export async function isRevoked(db: Db, device: string): Promise<boolean> {
  const row = await db
    .selectFrom('certificates')
    .select('revoked_at')
    .where('device', '=', device)
    .orderBy('issued_at', 'desc')
    .executeTakeFirst()
  return row !== undefined && row.revoked_at !== null
}
