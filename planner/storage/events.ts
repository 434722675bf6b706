import { type AuditEntry, entryOf } from './audit.ts'
import type { Db } from './tables.ts'

/** What was noted in the audit behind this place, oldest first. */
export async function auditAfter(
  db: Db,
  seq: number,
  most: number,
): Promise<readonly AuditEntry[]> {
  const rows = await db
    .selectFrom('audit')
    .selectAll()
    .where('seq', '>', seq)
    .orderBy('seq')
    .limit(most)
    .execute()
  return rows.map(entryOf)
}

export async function lastAuditSeq(db: Db): Promise<number> {
  const row = await db
    .selectFrom('audit')
    .select((q) => q.fn.max('seq').as('seq'))
    .executeTakeFirst()
  return Number(row?.seq ?? 0)
}

/** Where a reader of the audit stands; undefined for one that never read. */
export async function placeOf(db: Db, reader: string): Promise<number | undefined> {
  const row = await db
    .selectFrom('event_places')
    .select('seq')
    .where('reader', '=', reader)
    .executeTakeFirst()
  return row && Number(row.seq)
}

export async function setPlace(db: Db, reader: string, seq: number): Promise<void> {
  await db
    .insertInto('event_places')
    .values({ reader, seq })
    .onConflict((conflict) => conflict.column('reader').doUpdateSet({ seq }))
    .execute()
}
