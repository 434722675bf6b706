import { z } from 'zod'
import { readJson } from './json.ts'
import type { Db } from './tables.ts'

export interface AuditEntry {
  readonly seq: number
  readonly at: string
  /** `cli:<user>`, or `planner` for what it does by itself. */
  readonly actor: string
  readonly action: string
  readonly subject: string
  readonly detail: Readonly<Record<string, unknown>>
}

export async function writeAudit(
  db: Db,
  entry: Omit<AuditEntry, 'seq' | 'at'>,
  at: Date,
): Promise<void> {
  await db
    .insertInto('audit')
    .values({ ...entry, at: at.toISOString(), detail: JSON.stringify(entry.detail) })
    .execute()
}

/** Newest first. */
export async function readAudit(
  db: Db,
  { limit, subject }: { readonly limit: number; readonly subject?: string },
): Promise<readonly AuditEntry[]> {
  let query = db.selectFrom('audit').selectAll().orderBy('seq', 'desc').limit(limit)
  if (subject !== undefined) query = query.where('subject', '=', subject)
  const rows = await query.execute()
  return rows.map((row) => ({
    ...row,
    detail: readJson(z.record(z.string(), z.unknown()), row.detail),
  }))
}
