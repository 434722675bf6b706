import type { Digest } from '../../shared/digest.ts'
import { type Observations, observationsSchema } from '../../shared/messages/index.ts'
import { readJson } from './json.ts'
import { type HealthDay, packDay, unpackDay } from './packed-windows.ts'
import type { Db } from './tables.ts'

/** The newest window of a model on a device. */
export interface LatestWindow {
  readonly device: string
  readonly model: string
  readonly report: string
  readonly seen: Observations
  readonly receivedAt: string
}

/** @param variant content key of the variant @param reference digest of the test data with the float model's answers */
export async function putSketch(
  db: Db,
  row: { readonly variant: string; readonly reference: Digest; readonly sketch: Digest },
): Promise<void> {
  await db
    .insertInto('sketches')
    .values(row)
    .onConflict((conflict) =>
      conflict.columns(['variant', 'reference']).doUpdateSet({ sketch: row.sketch }),
    )
    .execute()
}

export async function sketchOf(db: Db, variant: string, reference: Digest): Promise<Digest | null> {
  const row = await db
    .selectFrom('sketches')
    .select('sketch')
    .where('variant', '=', variant)
    .where('reference', '=', reference)
    .executeTakeFirst()
  return row?.sketch ?? null
}

/** Whether a sketch of this digest was made here: a device may name any. */
export async function isSketch(db: Db, sketch: Digest): Promise<boolean> {
  const row = await db
    .selectFrom('sketches')
    .select('sketch')
    .where('sketch', '=', sketch)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

export async function putLatest(db: Db, window: LatestWindow): Promise<void> {
  const { device, model, report, seen, receivedAt } = window
  const row = {
    variant: seen.variant,
    report,
    body: JSON.stringify(seen),
    received_at: receivedAt,
  }
  await db
    .insertInto('health_latest')
    .values({ device, model_name: model, ...row })
    .onConflict((conflict) => conflict.columns(['device', 'model_name']).doUpdateSet(row))
    .execute()
}

/** Of a device, or of all. */
export async function latestOf(
  db: Db,
  model: string,
  device?: string,
): Promise<readonly LatestWindow[]> {
  let query = db.selectFrom('health_latest').selectAll().where('model_name', '=', model)
  if (device !== undefined) query = query.where('device', '=', device)
  return (await query.orderBy('device').execute()).map((row) => ({
    device: row.device,
    model: row.model_name,
    report: row.report,
    seen: readJson(observationsSchema, row.body),
    receivedAt: row.received_at,
  }))
}

/** When each of these devices last told of any model. */
export async function lastTold(
  db: Db,
  devices: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (devices.length === 0) return new Map()
  const rows = await db
    .selectFrom('health_latest')
    .select((q) => ['device', q.fn.max('received_at').as('at')])
    .where('device', 'in', [...devices])
    .groupBy('device')
    .execute()
  return new Map(rows.map(({ device, at }) => [device, at]))
}

/** Which day of which device. */
export interface DayKey {
  readonly device: string
  readonly model: string
  readonly variant: Digest
  /** `2026-11-29` */
  readonly day: string
}

export async function dayOf(db: Db, key: DayKey): Promise<HealthDay | undefined> {
  const row = await db
    .selectFrom('health_days')
    .select('body')
    .where('device', '=', key.device)
    .where('model_name', '=', key.model)
    .where('variant', '=', key.variant)
    .where('day', '=', key.day)
    .executeTakeFirst()
  return row && unpackDay(row.body, key.variant)
}

export async function putDay(db: Db, key: DayKey, day: HealthDay): Promise<void> {
  const { device, model, variant } = key
  const body = packDay(day)
  await db
    .insertInto('health_days')
    .values({ device, model_name: model, variant, day: key.day, body })
    .onConflict((conflict) =>
      conflict.columns(['device', 'model_name', 'variant', 'day']).doUpdateSet({ body }),
    )
    .execute()
}

/** Oldest first, from this day on. */
export async function daysOf(
  db: Db,
  model: string,
  since: string,
): Promise<readonly (DayKey & HealthDay)[]> {
  const rows = await db
    .selectFrom('health_days')
    .selectAll()
    .where('model_name', '=', model)
    .where('day', '>=', since)
    .orderBy('day')
    .orderBy('device')
    .execute()
  return rows.map(({ device, variant, day, body }) => {
    return { device, model, variant, day, ...unpackDay(body, variant) }
  })
}
