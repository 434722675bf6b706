import type { DeviceId } from '../../shared/ids.ts'
import { forgetLabelsOf } from './device-labels.ts'
import type { Db, Tables } from './tables.ts'

/** A device that is out of service: known, and counted nowhere. */
export type Retirement = Tables['retired_devices']

export async function retire(
  db: Db,
  device: DeviceId,
  why: { readonly by: string; readonly reason: string },
  at: Date,
): Promise<void> {
  await db
    .insertInto('retired_devices')
    .values({ device, at: at.toISOString(), ...why })
    .onConflict((conflict) => conflict.column('device').doNothing())
    .execute()
}

/** False where it was in service all along. */
export async function reinstate(db: Db, device: DeviceId): Promise<boolean> {
  const gone = await db
    .deleteFrom('retired_devices')
    .where('device', '=', device)
    .executeTakeFirst()
  return gone.numDeletedRows > 0n
}

export async function retirements(db: Db): Promise<ReadonlyMap<DeviceId, Retirement>> {
  const rows = await db.selectFrom('retired_devices').selectAll().execute()
  return new Map(rows.map((row) => [row.device, row]))
}

/** Whether devices of a class are out of service: counts of the class then say too much. */
export async function someOfClass(db: Db, classId: string): Promise<boolean> {
  const row = await db
    .selectFrom('retired_devices')
    .innerJoin('devices', 'devices.id', 'retired_devices.device')
    .select('retired_devices.device')
    .where('devices.class', '=', classId)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** Nothing is left of it but the audit, what it measured, and the counters that its orders went by. */
export async function forgetDevice(db: Db, device: DeviceId): Promise<void> {
  await db.deleteFrom('retired_devices').where('device', '=', device).execute()
  await db.deleteFrom('device_zones').where('device', '=', device).execute()
  await forgetLabelsOf(db, device)
  await db.deleteFrom('captured_samples').where('device', '=', device).execute()
  await db.deleteFrom('engine_notes').where('device', '=', device).execute()
  await db.deleteFrom('runtime_takers').where('device', '=', device).execute()
  await db.deleteFrom('runtime_offers').where('device', '=', device).execute()
  await db.deleteFrom('device_roots').where('device', '=', device).execute()
  await db.deleteFrom('directed_engines').where('device', '=', device).execute()
  await db.deleteFrom('directions').where('device', '=', device).execute()
  await db.deleteFrom('device_slots').where('device', '=', device).execute()
  await db.deleteFrom('devices').where('id', '=', device).execute()
}
