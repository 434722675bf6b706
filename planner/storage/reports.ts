import type { DeviceId } from '../../shared/ids.ts'
import { type HeardReport, REPORTS, type Report } from '../../shared/messages/index.ts'
import { rowsInto } from './few-texts.ts'
import { readJson } from './json.ts'
import type { Db } from './tables.ts'

export interface StoredReport {
  readonly seq: number
  readonly device: DeviceId
  /** Of a later kind where a newer planner stored it. */
  readonly report: HeardReport
}

export interface NewReport {
  readonly device: DeviceId
  readonly report: Report
}

/** Into the inbox; durable when it resolves. The device's own id tells a duplicate. */
export async function storeReport(
  db: Db,
  device: DeviceId,
  report: Report,
  at: Date,
): Promise<'new' | 'duplicate'> {
  const [outcome = 'duplicate'] = await storeReports(db, [{ device, report }], at)
  return outcome
}

const putReports = rowsInto('reports', ['device', 'id', 'kind', 'body', 'received_at'], {
  key: ['device', 'id'],
  changes: [],
  returning: ['device', 'id'],
})

/** Many at once, in this order; answers for each. */
export async function storeReports(
  db: Db,
  all: readonly NewReport[],
  at: Date,
): Promise<('new' | 'duplicate')[]> {
  const received_at = at.toISOString()
  const inserted = await putReports(
    db,
    all.map(({ device, report }) => {
      const { id, kind } = report
      return { device, id, kind, body: JSON.stringify(report), received_at }
    }),
  )
  const fresh = new Set(inserted.map(({ device, id }) => `${device} ${id}`))
  // Of two that are the same, the first is the new one.
  return all.map(({ device, report }) =>
    fresh.delete(`${device} ${report.id}`) ? 'new' : 'duplicate',
  )
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

export async function markHandled(db: Db, seqs: readonly number[], at: Date): Promise<void> {
  if (seqs.length === 0) return
  await db
    .updateTable('reports')
    .set({ handled_at: at.toISOString() })
    .where('seq', 'in', [...seqs])
    .execute()
}

/** What was added up elsewhere, and is told from a repeat there: so many an hour are not kept. */
export async function dropReports(db: Db, seqs: readonly number[]): Promise<void> {
  if (seqs.length === 0) return
  await db
    .deleteFrom('reports')
    .where('seq', 'in', [...seqs])
    .execute()
}
