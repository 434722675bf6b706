import type { Db, Tables } from './tables.ts'

export interface StoredJoinToken {
  readonly id: string
  readonly publicKey: string
  readonly device: string | null
  readonly expiresAt: Date
  /** What it was used for; `null` while nobody used it. */
  readonly used: { readonly device: string; readonly key: string; readonly serial: string } | null
}

export interface NewJoinToken {
  readonly id: string
  readonly publicKey: string
  readonly device: string | null
  readonly createdBy: string
  readonly expiresAt: Date
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
}

export async function findJoinToken(db: Db, id: string): Promise<StoredJoinToken | undefined> {
  const row = await db.selectFrom('join_tokens').selectAll().where('id', '=', id).executeTakeFirst()
  return row && fromRow(row)
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

function fromRow(row: Tables['join_tokens']): StoredJoinToken {
  const { used_by: device, used_key: key, certificate: serial } = row
  return {
    id: row.id,
    publicKey: row.public_key,
    device: row.device,
    expiresAt: new Date(row.expires_at),
    used: device !== null && key !== null && serial !== null ? { device, key, serial } : null,
  }
}
