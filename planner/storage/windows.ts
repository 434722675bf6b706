import type { DeviceId } from '../../shared/ids.ts'
import { type Window, windowSchema } from '../../shared/windows/index.ts'
import { type Selector, selectorSchema } from '../groups/index.ts'
import type { Born } from './born.ts'
import { isAmong, rowsInto } from './few-texts.ts'
import { readJson } from './json.ts'
import type { Db } from './tables.ts'

/** Hours in which devices that a selector matches may switch. */
export interface MaintenanceWindow {
  readonly name: string
  readonly where: Selector
  readonly window: Window
  readonly by: string
  readonly at: string
}

/** In place of one of that name. */
export async function putWindow(
  db: Db,
  { name, where, window, by }: Omit<MaintenanceWindow, 'at'>,
  at: Date,
): Promise<void> {
  const row = {
    selector: JSON.stringify(where),
    window: JSON.stringify(window),
    by,
    at: at.toISOString(),
  }
  await db
    .insertInto('maintenance_windows')
    .values({ name, ...row })
    .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
    .execute()
}

/** False where there was none. */
export async function removeWindow(db: Db, name: string): Promise<boolean> {
  const gone = await db
    .deleteFrom('maintenance_windows')
    .where('name', '=', name)
    .executeTakeFirst()
  return gone.numDeletedRows > 0n
}

export async function listWindows(db: Db): Promise<readonly MaintenanceWindow[]> {
  const rows = await db.selectFrom('maintenance_windows').selectAll().orderBy('name').execute()
  return rows.map(({ selector, window, ...row }) => ({
    ...row,
    where: readJson(selectorSchema, selector),
    window: readJson(windowSchema, window),
  }))
}

const putZones = rowsInto('device_zones', ['device', 'zone'], {
  key: ['device'],
  changes: ['zone'],
})

/** Absent: an agent that keeps no windows. */
export async function recordZones(db: Db, births: readonly Born[]): Promise<void> {
  const none = births.flatMap(({ device, birth }) => (birth.timeZone === undefined ? [device] : []))
  if (none.length > 0)
    await db
      .deleteFrom('device_zones')
      .where(isAmong(db, 'device', none))
      .execute()
  const said = births.flatMap(({ device, birth: { timeZone: zone } }) =>
    zone === undefined ? [] : [{ device, zone }],
  )
  await putZones(db, said)
}

export async function zones(db: Db): Promise<ReadonlyMap<DeviceId, string>> {
  const rows = await db.selectFrom('device_zones').selectAll().execute()
  return new Map(rows.map(({ device, zone }) => [device, zone]))
}

/** Null: until somebody resumes it. */
export async function pauseUntil(db: Db, rollout: string, until: Date | null): Promise<void> {
  await db.deleteFrom('rollout_pauses').where('rollout', '=', rollout).execute()
  if (until === null) return
  await db.insertInto('rollout_pauses').values({ rollout, until: until.toISOString() }).execute()
}

/** By rollout. */
export async function pauses(db: Db): Promise<ReadonlyMap<string, string>> {
  const rows = await db.selectFrom('rollout_pauses').selectAll().execute()
  return new Map(rows.map(({ rollout, until }) => [rollout, until]))
}
