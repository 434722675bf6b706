import { type Expression, expressionBuilder, type SqlBool } from 'kysely'
import { type AlarmCount, alarmCountSchema } from '../health/index.ts'
import { readJson } from './json.ts'
import type { Db, Tables } from './tables.ts'

/** A rule's standing for a model on a device. */
export interface StoredAlarm {
  readonly rule: string
  readonly model: string
  readonly device: string
  readonly count: AlarmCount
  readonly evidence: string
  readonly raisedAt: string | null
  readonly clearedAt: string | null
  readonly updatedAt: string
}

export async function putAlarm(db: Db, alarm: StoredAlarm): Promise<void> {
  const { rule, model, device, count, evidence, raisedAt, clearedAt, updatedAt } = alarm
  const row = {
    count: JSON.stringify(count),
    evidence,
    raised_at: raisedAt,
    cleared_at: clearedAt,
    updated_at: updatedAt,
  }
  await db
    .insertInto('alarms')
    .values({ rule, model_name: model, device, ...row })
    .onConflict((conflict) => conflict.columns(['rule', 'model_name', 'device']).doUpdateSet(row))
    .execute()
}

/** Newest first; of a model or a device, or all. */
export async function alarmsOf(
  db: Db,
  only: { readonly model?: string | undefined; readonly device?: string | undefined } = {},
): Promise<readonly StoredAlarm[]> {
  let query = db.selectFrom('alarms').selectAll()
  if (only.model !== undefined) query = query.where('model_name', '=', only.model)
  if (only.device !== undefined) query = query.where('device', '=', only.device)
  const rows = await query.orderBy('updated_at', 'desc').orderBy('device').execute()
  return rows.map((row) => ({
    rule: row.rule,
    model: row.model_name,
    device: row.device,
    count: readJson(alarmCountSchema, row.count),
    evidence: row.evidence,
    raisedAt: row.raised_at,
    clearedAt: row.cleared_at,
    updatedAt: row.updated_at,
  }))
}

/** What was cleared may have been raised once more. */
export function isRaised(): Expression<SqlBool> {
  const q = expressionBuilder<Tables, 'alarms'>()
  return q.and([
    q('raised_at', 'is not', null),
    q.or([q('cleared_at', 'is', null), q('cleared_at', '<', q.ref('raised_at'))]),
  ])
}

/** How many are raised on each of these devices; those with none are left out. */
export async function raisedOn(
  db: Db,
  devices: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (devices.length === 0) return new Map()
  const rows = await db
    .selectFrom('alarms')
    .select((q) => ['device', q.fn.countAll<number>().as('alarms')])
    .where('device', 'in', [...devices])
    .where(isRaised())
    .groupBy('device')
    .execute()
  return new Map(rows.map((row) => [row.device, Number(row.alarms)]))
}
