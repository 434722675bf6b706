import type { Selectable } from 'kysely'
import { z } from 'zod'
import { rowsInto } from './few-texts.ts'
import { readJson } from './json.ts'
import type { Db, Tables } from './tables.ts'

const detailSchema = z.record(z.string(), z.unknown())

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
  await writeAudits(db, [entry], at)
}

const putEntries = rowsInto('audit', ['at', 'actor', 'action', 'subject', 'detail'])

/** Many at once, in this order. */
export async function writeAudits(
  db: Db,
  entries: readonly Omit<AuditEntry, 'seq' | 'at'>[],
  at: Date,
): Promise<void> {
  const time = at.toISOString()
  const rows = entries.map((one) => ({ ...one, at: time, detail: JSON.stringify(one.detail) }))
  await putEntries(db, rows)
}

export interface AuditQuery {
  readonly limit: number
  readonly subject?: string | undefined
  readonly actor?: string | undefined
  readonly action?: string | undefined
  /** Older than this entry. */
  readonly before?: number | undefined
}

/** Newest first. */
export async function readAudit(
  db: Db,
  { limit, subject, actor, action, before }: AuditQuery,
): Promise<readonly AuditEntry[]> {
  let query = db.selectFrom('audit').selectAll().orderBy('seq', 'desc').limit(limit)
  if (subject !== undefined) query = query.where('subject', '=', subject)
  if (actor !== undefined) query = query.where('actor', '=', actor)
  if (action !== undefined) query = query.where('action', '=', action)
  if (before !== undefined) query = query.where('seq', '<', before)
  return (await query.execute()).map(entryOf)
}

export function entryOf(row: Selectable<Tables['audit']>): AuditEntry {
  return { ...row, seq: Number(row.seq), detail: readJson(detailSchema, row.detail) }
}
