import { z } from 'zod'
import { type Labels, labelsSchema } from '../../shared/labels.ts'
import { readJson } from './json.ts'
import type { Db, Tables } from './tables.ts'

export interface StoredJoinToken {
  readonly id: string
  readonly publicKey: string
  readonly device: string | null
  readonly expiresAt: Date
  /** An operator took it back. */
  readonly isRevoked: boolean
  /** Devices that it is good for. */
  readonly uses: number
  /** Whose certificate a device must show besides; null: none. */
  readonly authority: TokenAuthority | null
  /** What it was used for; `null` while nobody used it. Of one that is good for several see `useBy`. */
  readonly used: TokenUse | null
}

/** The operator's own authority, and the names that it may speak for. */
export interface TokenAuthority {
  /** PEM. */
  readonly certificate: string
  /** `press-7`, or `press-*`. */
  readonly names: readonly string[]
}

export interface TokenUse {
  readonly device: string
  /** SHA-256 of the public key. */
  readonly key: string
  readonly serial: string
}

export interface NewJoinToken {
  readonly id: string
  readonly publicKey: string
  readonly device: string | null
  readonly createdBy: string
  readonly expiresAt: Date
  /** Default: one. */
  readonly uses?: number
  /** Of whoever joins by it. */
  readonly labels?: Labels
  readonly authority?: TokenAuthority
}

export async function addJoinToken(db: Db, token: NewJoinToken, at: Date): Promise<void> {
  await db
    .insertInto('join_tokens')
    .values({
      id: token.id,
      public_key: token.publicKey,
      device: token.device,
      created_by: token.createdBy,
      created_at: at.toISOString(),
      expires_at: token.expiresAt.toISOString(),
      used_at: null,
      used_by: null,
      used_key: null,
      certificate: null,
    })
    .execute()
  const { id, uses = 1, labels = {}, authority } = token
  if (authority !== undefined) {
    const { certificate, names } = authority
    await db
      .insertInto('join_token_authorities')
      .values({ token: id, certificate, names: JSON.stringify(names) })
      .execute()
  }
  if (uses > 1) await db.insertInto('join_token_quotas').values({ token: id, uses }).execute()
  if (Object.keys(labels).length === 0) return
  await db
    .insertInto('join_token_labels')
    .values({ token: id, labels: JSON.stringify(labels) })
    .execute()
}

/** Labels of whoever joins by this token. */
export async function tokenLabels(db: Db, id: string): Promise<Labels> {
  const row = await db
    .selectFrom('join_token_labels')
    .select('labels')
    .where('token', '=', id)
    .executeTakeFirst()
  return row ? readJson(labelsSchema, row.labels) : {}
}

/** What one device used a token for that is good for several. */
export async function useBy(db: Db, id: string, device: string): Promise<TokenUse | null> {
  const row = await db
    .selectFrom('join_token_uses')
    .selectAll()
    .where('token', '=', id)
    .where('device', '=', device)
    .executeTakeFirst()
  return row ? { device, key: row.used_key, serial: row.certificate } : null
}

/** One more of its uses; false where there are none left, or it expired. Inside the transaction. */
export async function useOneOf(
  db: Db,
  { id, uses }: StoredJoinToken,
  use: TokenUse,
  at: Date,
): Promise<boolean> {
  // Holds the row: of two at a time the second counts the first.
  const held = await db
    .updateTable('join_tokens')
    .set(({ ref }) => ({ expires_at: ref('expires_at') }))
    .where('id', '=', id)
    .where('expires_at', '>', at.toISOString())
    .executeTakeFirst()
  if (held.numUpdatedRows !== 1n) return false
  const { count } = await db
    .selectFrom('join_token_uses')
    .select((q) => q.fn.countAll<number>().as('count'))
    .where('token', '=', id)
    .where('device', '!=', use.device)
    .executeTakeFirstOrThrow()
  if (Number(count) >= uses) return false
  const row = { used_key: use.key, certificate: use.serial, at: at.toISOString() }
  await db
    .insertInto('join_token_uses')
    .values({ token: id, device: use.device, ...row })
    .onConflict((conflict) => conflict.columns(['token', 'device']).doUpdateSet(row))
    .execute()
  return true
}

export async function findJoinToken(db: Db, id: string): Promise<StoredJoinToken | undefined> {
  const row = await db
    .selectFrom('join_tokens')
    .leftJoin('join_token_quotas', 'join_token_quotas.token', 'join_tokens.id')
    .leftJoin('join_token_authorities', 'join_token_authorities.token', 'join_tokens.id')
    .leftJoin('join_token_revocations', 'join_token_revocations.token', 'join_tokens.id')
    .selectAll('join_tokens')
    .select(['join_token_quotas.uses', 'join_token_authorities.names'])
    .select('join_token_authorities.certificate as authority')
    .select('join_token_revocations.at as revoked_at')
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) return undefined
  const { names, authority: certificate } = row
  const authority =
    certificate === null || names === null
      ? null
      : { certificate, names: readJson(z.array(z.string()), names) }
  return fromRow(row, { uses: row.uses ?? 1, authority, isRevoked: row.revoked_at !== null })
}

/** What was given for this device and not used is good no more. Answers how many there were. */
export async function expireJoinTokens(db: Db, device: string, at: Date): Promise<number> {
  const result = await db
    .updateTable('join_tokens')
    // As if it had never been good: who began to use it a moment ago must not get through either.
    .set(({ ref }) => ({ expires_at: ref('created_at') }))
    .where('device', '=', device)
    .where('used_at', 'is', null)
    .where('expires_at', '>', at.toISOString())
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

/** As if it had never been good, and known to have been taken back. False where it was taken back before, or is not known. */
export async function revokeJoinToken(
  db: Db,
  id: string,
  { by, reason }: { readonly by: string; readonly reason: string },
  at: Date,
): Promise<boolean> {
  const revoked = await db
    .updateTable('join_tokens')
    .set(({ ref }) => ({ expires_at: ref('created_at') }))
    .where('id', '=', id)
    .executeTakeFirst()
  if (revoked.numUpdatedRows !== 1n) return false
  const noted = await db
    .insertInto('join_token_revocations')
    .values({ token: id, by, at: at.toISOString(), reason })
    .onConflict((conflict) => conflict.column('token').doNothing())
    .executeTakeFirst()
  return (noted.numInsertedOrUpdatedRows ?? 0n) > 0n
}

export interface ListedJoinToken {
  readonly id: string
  readonly device: string | null
  readonly createdBy: string
  readonly createdAt: string
  readonly expiresAt: string
  readonly uses: number
  /** Devices that have joined by it. */
  readonly used: number
  readonly labels: Labels
  /** Devices that the operator's own authority may speak for; null: none is asked for. */
  readonly names: readonly string[] | null
  readonly revoked: { readonly by: string; readonly at: string; readonly reason: string } | null
}

/** Every one that was ever made, the newest first. */
export async function listJoinTokens(db: Db): Promise<readonly ListedJoinToken[]> {
  const rows = await db
    .selectFrom('join_tokens')
    .leftJoin('join_token_quotas as quota', 'quota.token', 'join_tokens.id')
    .leftJoin('join_token_authorities as authority', 'authority.token', 'join_tokens.id')
    .leftJoin('join_token_labels as labelled', 'labelled.token', 'join_tokens.id')
    .leftJoin('join_token_revocations as revoked', 'revoked.token', 'join_tokens.id')
    .select(['id', 'device', 'created_by', 'created_at', 'expires_at', 'used_at'])
    .select(['quota.uses', 'authority.names', 'labelled.labels'])
    .select(['revoked.by', 'revoked.at', 'revoked.reason'])
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .execute()
  const counted = await db
    .selectFrom('join_token_uses')
    .select((q) => ['token', q.fn.countAll<number>().as('count')])
    .groupBy('token')
    .execute()
  const used = new Map(counted.map(({ token, count }) => [token, Number(count)]))
  return rows.map((row) => ({
    id: row.id,
    device: row.device,
    createdBy: row.created_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    uses: row.uses ?? 1,
    used: used.get(row.id) ?? (row.used_at === null ? 0 : 1),
    labels: row.labels === null ? {} : readJson(labelsSchema, row.labels),
    names: row.names === null ? null : readJson(z.array(z.string()), row.names),
    revoked:
      row.by === null || row.at === null
        ? null
        : { by: row.by, at: row.at, reason: row.reason ?? '' },
  }))
}

/** True for the one caller that was first; everybody else finds it used. */
export async function useJoinToken(
  db: Db,
  id: string,
  use: { readonly device: string; readonly key: string; readonly serial: string },
  at: Date,
): Promise<boolean> {
  const result = await db
    .updateTable('join_tokens')
    .set({
      used_at: at.toISOString(),
      used_by: use.device,
      used_key: use.key,
      certificate: use.serial,
    })
    .where('id', '=', id)
    .where('used_at', 'is', null)
    .where('expires_at', '>', at.toISOString())
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}

function fromRow(
  row: Tables['join_tokens'],
  { uses, authority, isRevoked }: Pick<StoredJoinToken, 'uses' | 'authority' | 'isRevoked'>,
): StoredJoinToken {
  const { used_by: device, used_key: key, certificate: serial } = row
  return {
    id: row.id,
    publicKey: row.public_key,
    device: row.device,
    expiresAt: new Date(row.expires_at),
    isRevoked,
    uses,
    authority,
    used: device !== null && key !== null && serial !== null ? { device, key, serial } : null,
  }
}
