import type { Db } from './tables.ts'

export interface StoredSession {
  /** SHA-256 of the cookie's secret. */
  readonly id: string
  /** Digest of the token that opened it. */
  readonly operator: string
  readonly openedAt: Date
  readonly expiresAt: Date
}

/** With it goes what is over: who opens one clears up. */
export async function openSession(db: Db, session: StoredSession): Promise<void> {
  await db.deleteFrom('sessions').where('expires_at', '<', session.openedAt.toISOString()).execute()
  await db
    .insertInto('sessions')
    .values({
      id: session.id,
      operator: session.operator,
      opened_at: session.openedAt.toISOString(),
      expires_at: session.expiresAt.toISOString(),
    })
    .execute()
}

export async function findSession(db: Db, id: string): Promise<StoredSession | undefined> {
  const row = await db.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirst()
  if (row === undefined) return undefined
  const { operator } = row
  return { id, operator, openedAt: new Date(row.opened_at), expiresAt: new Date(row.expires_at) }
}

export async function closeSession(db: Db, id: string): Promise<void> {
  await db.deleteFrom('sessions').where('id', '=', id).execute()
}
