import type { DeviceId } from '../../shared/ids.ts'
import type { Db } from './tables.ts'

export interface DeviceDouble {
  readonly firstAt: string
  readonly lastAt: string
  /** How often it was noted, each for many changes between the two. */
  readonly times: number
}

export async function noteDouble(db: Db, device: DeviceId, at: Date): Promise<void> {
  const last_at = at.toISOString()
  await db
    .insertInto('device_doubles')
    .values({ device, first_at: last_at, last_at, times: 1 })
    .onConflict((conflict) =>
      conflict
        .column('device')
        .doUpdateSet((row) => ({ last_at, times: row('device_doubles.times', '+', 1) })),
    )
    .execute()
}

/** Those noted since. */
export async function doublesSince(
  db: Db,
  since: Date,
): Promise<ReadonlyMap<DeviceId, DeviceDouble>> {
  const rows = await db
    .selectFrom('device_doubles')
    .selectAll()
    .where('last_at', '>=', since.toISOString())
    .execute()
  return new Map(
    rows.map(({ device, first_at, last_at, times }) => [
      device,
      { firstAt: first_at, lastAt: last_at, times },
    ]),
  )
}
