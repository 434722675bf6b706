import { z } from 'zod'
import type { AuditEntry } from './audit.ts'
import { readJson } from './json.ts'
import type { Db } from './tables.ts'

const detailSchema = z.record(z.string(), z.unknown())

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
  return rows.map((row) => ({
    ...row,
    seq: Number(row.seq),
    detail: readJson(detailSchema, row.detail),
  }))
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
