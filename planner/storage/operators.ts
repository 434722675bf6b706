import type { Db, Tables } from './tables.ts'

export interface StoredOperator {
  /** SHA-256 of the token's secret. */
  readonly id: string
  readonly name: string
  readonly role: string
  readonly createdBy: string
  readonly createdAt: Date
  readonly expiresAt: Date | null
  readonly revokedAt: Date | null
}

export type NewOperator = Omit<StoredOperator, 'createdAt' | 'revokedAt'>

export async function addOperator(db: Db, operator: NewOperator, at: Date): Promise<void> {
  await db
    .insertInto('operators')
    .values({
      id: operator.id,
      name: operator.name,
      role: operator.role,
      created_by: operator.createdBy,
      created_at: at.toISOString(),
      expires_at: operator.expiresAt?.toISOString() ?? null,
      revoked_at: null,
    })
    .execute()
}

export async function findOperator(db: Db, id: string): Promise<StoredOperator | undefined> {
  const row = await db.selectFrom('operators').selectAll().where('id', '=', id).executeTakeFirst()
  return row && fromRow(row)
}

export async function listOperators(db: Db): Promise<readonly StoredOperator[]> {
  const rows = await db.selectFrom('operators').selectAll().orderBy('created_at').execute()
  return rows.map(fromRow)
}

/** Ids of those whose token was good until now. */
export async function revokeOperators(db: Db, name: string, at: Date): Promise<readonly string[]> {
  const rows = await db
    .updateTable('operators')
    .set({ revoked_at: at.toISOString() })
    .where('name', '=', name)
    .where('revoked_at', 'is', null)
    .returning('id')
    .execute()
  return rows.map(({ id }) => id)
}

function fromRow(row: Tables['operators']): StoredOperator {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    createdBy: row.created_by,
    createdAt: new Date(row.created_at),
    expiresAt: row.expires_at === null ? null : new Date(row.expires_at),
    revokedAt: row.revoked_at === null ? null : new Date(row.revoked_at),
  }
}
