import type { DeviceId } from '../../shared/ids.ts'
import { type HeardReport, REPORTS, type Report } from '../../shared/messages/index.ts'
import { readJson } from './json.ts'
import type { Db } from './tables.ts'

export interface StoredReport {
  readonly seq: number
  readonly device: DeviceId
  /** Of a later kind where a newer planner stored it. */
  readonly report: HeardReport
}

/** Into the inbox; durable when it resolves. The device's own id tells a duplicate. */
export async function storeReport(
  db: Db,
  device: DeviceId,
  report: Report,
  at: Date,
): Promise<'new' | 'duplicate'> {
  const result = await db
    .insertInto('reports')
    .values({
      device,
      id: report.id,
      kind: report.kind,
      body: JSON.stringify(report),
      received_at: at.toISOString(),
    })
    .onConflict((conflict) => conflict.columns(['device', 'id']).doNothing())
    .executeTakeFirst()
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n ? 'new' : 'duplicate'
}

/** Oldest first. */
export async function unhandledReports(db: Db, most: number): Promise<readonly StoredReport[]> {
  const rows = await db
    .selectFrom('reports')
    .select(['seq', 'device', 'body'])
    .where('handled_at', 'is', null)
    .orderBy('seq')
    .limit(most)
    .execute()
  return rows.map(({ seq, device, body }) => ({
    seq,
    device,
    report: readJson(REPORTS, body),
  }))
}

export async function markHandled(db: Db, seq: number, at: Date): Promise<void> {
  await db
    .updateTable('reports')
    .set({ handled_at: at.toISOString() })
    .where('seq', '=', seq)
    .execute()
}

/** What was added up elsewhere, and is told from a repeat there: so many an hour are not kept. */
export async function dropReport(db: Db, seq: number): Promise<void> {
  await db.deleteFrom('reports').where('seq', '=', seq).execute()
}

/** Handled reports are kept only to tell duplicates; an agent's outbox is long empty by then. */
export async function forgetReports(db: Db, before: Date): Promise<void> {
  await db
    .deleteFrom('reports')
    .where('handled_at', 'is not', null)
    .where('received_at', '<', before.toISOString())
    .execute()
}
