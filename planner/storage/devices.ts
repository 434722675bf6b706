import { z } from 'zod'
import type { DeviceId } from '../../shared/ids.ts'
import {
  type Birth,
  birthSchema,
  type Epoch,
  epochSchema,
  hardwareReportSchema,
} from '../../shared/messages/index.ts'
import { type BirthOutcome, type Classification, classColumns, recordBirths } from './births.ts'
import { putSlots } from './device-slots.ts'
import { areAmong, isAmong } from './few-texts.ts'
import { readJson } from './json.ts'
import type { Db, Tables } from './tables.ts'

export type { Classification } from './births.ts'
export { type NewBirth, recordBirths } from './births.ts'

const reasonsSchema = z.array(z.string())
const { runtimes: runtimesSchema, slots: slotsSchema } = birthSchema.shape

export interface Device {
  readonly id: DeviceId
  readonly firstSeen: string
  readonly lastSeen: string
  readonly online: boolean
  readonly epoch: Epoch
  readonly agentVersion: string
  readonly report: Birth['report']
  readonly runtimes: Birth['runtimes']
  readonly memoryLimitBytes: number | null
  readonly slots: Birth['slots']
  /** Null until it is classified. */
  readonly class: string | null
  /** Why that class, one sentence each. */
  readonly classReason: readonly string[]
  /** What a model may take here, bytes; null: not limited or not yet known. */
  readonly storageRoom: number | null
  readonly memoryRoom: number | null
  readonly garbage: number
  readonly garbageNote: string | null
}

/** A session began, or is told again. Answers false for a birth older than the session known. */
export async function recordBirth(
  db: Db,
  device: DeviceId,
  birth: Birth,
  at: Date,
  found?: Classification,
): Promise<BirthOutcome> {
  const [outcome = false] = await recordBirths(db, [{ device, birth, found }], at)
  return outcome
}

export interface Dead {
  readonly device: DeviceId
  readonly epoch: Epoch
}

/** Ignored unless the epoch is the device's present one: a late death speaks for a session long gone. */
export async function recordDeath(
  db: Db,
  device: DeviceId,
  epoch: Epoch,
  at: Date,
): Promise<boolean> {
  return (await recordDeaths(db, [{ device, epoch }], at))[0] ?? false
}

/** Those of a fleet that goes at once, by one statement; answers for each, as above. */
export async function recordDeaths(
  db: Db,
  all: readonly Dead[],
  at: Date,
): Promise<readonly boolean[]> {
  if (all.length === 0) return []
  const said = all.map(({ device, epoch: { start, connection } }) => ({
    device,
    epoch: JSON.stringify({ start, connection }),
  }))
  const rows = await db
    .updateTable('devices')
    .set({ online: 0, last_seen: at.toISOString() })
    // By the key first: pairs alone are looked for in every row.
    .where(isAmong(db, 'id', new Set(said.map(({ device }) => device))))
    .where(
      areAmong(
        db,
        ['id', 'epoch'],
        said.map(({ device, epoch }) => [device, epoch]),
      ),
    )
    .returning(['id', 'epoch'])
    .execute()
  const ended = new Map(rows.map(({ id, epoch }) => [id, epoch]))
  return said.map(({ device, epoch }) => ended.get(device) === epoch)
}

/** These are not there, whatever they said last. Answers who was thought to be. */
export async function noteOffline(
  db: Db,
  ids: readonly DeviceId[],
  at: Date,
): Promise<readonly DeviceId[]> {
  if (ids.length === 0) return []
  const rows = await db
    .updateTable('devices')
    .set({ online: 0, last_seen: at.toISOString() })
    .where('id', 'in', [...ids])
    .where('online', '=', 1)
    .returning('id')
    .execute()
  return rows.map(({ id }) => id)
}

/** A planner that starts knows nobody's session: births tell. */
export async function forgetPresence(db: Db): Promise<void> {
  await db.updateTable('devices').set({ online: 0 }).execute()
}

export async function noteGarbage(db: Db, device: DeviceId, note: string): Promise<void> {
  await db
    .updateTable('devices')
    .set((row) => ({ garbage: row('garbage', '+', 1), garbage_note: note }))
    .where('id', '=', device)
    .execute()
}

export async function recordClass(db: Db, device: DeviceId, found: Classification): Promise<void> {
  await db.updateTable('devices').set(classColumns(found)).where('id', '=', device).execute()
}

export async function recordSlots(db: Db, device: DeviceId, slots: Birth['slots']): Promise<void> {
  await db
    .updateTable('devices')
    .set({ slots: JSON.stringify(slots) })
    .where('id', '=', device)
    .execute()
  await putSlots(db, device, slots)
}

/** Those in service. */
export async function listDevices(db: Db): Promise<readonly Device[]> {
  const rows = await inService(db).selectAll('devices').orderBy('id').execute()
  return rows.map(deviceOf)
}

/** Retired ones too. */
export async function allDevices(db: Db): Promise<readonly Device[]> {
  return (await db.selectFrom('devices').selectAll().orderBy('id').execute()).map(deviceOf)
}

export async function devicesOfClass(db: Db, classId: string): Promise<readonly Device[]> {
  const rows = await inService(db)
    .selectAll('devices')
    .where('class', '=', classId)
    .orderBy('id')
    .execute()
  return rows.map(deviceOf)
}

/** Those in service, by id, and whether they are online: nothing that grows with what they said of themselves. */
export async function presenceOfClass(
  db: Db,
  classId: string,
): Promise<readonly Pick<Device, 'id' | 'online'>[]> {
  const rows = await inService(db)
    .select(['id', 'online'])
    .where('class', '=', classId)
    .orderBy('id')
    .execute()
  return rows.map(({ id, online }) => ({ id, online: online === 1 }))
}

/** By id, from behind `after` on: all of a fleet in pieces of bounded size. */
export async function pageOfDevices(
  db: Db,
  after: DeviceId,
  most: number,
): Promise<readonly Device[]> {
  const page = db.selectFrom('devices').selectAll().where('id', '>', after)
  return (await page.orderBy('id').limit(most).execute()).map(deviceOf)
}

/** By id, from behind `after` on. */
export async function pageOfIds(
  db: Db,
  after: DeviceId,
  most: number,
): Promise<readonly DeviceId[]> {
  const page = db.selectFrom('devices').select('id').where('id', '>', after)
  const rows = await page.orderBy('id').limit(most).execute()
  return rows.map(({ id }) => id)
}

export async function findDevices(
  db: Db,
  ids: readonly DeviceId[],
): Promise<ReadonlyMap<DeviceId, Device>> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('devices')
    .selectAll()
    .where('id', 'in', [...ids])
    .execute()
  return new Map(rows.map((row) => [row.id, deviceOf(row)]))
}

/** The first by id. */
export async function someOfClass(
  db: Db,
  classId: string,
  most: number,
): Promise<readonly Device[]> {
  const rows = await inService(db)
    .selectAll('devices')
    .where('class', '=', classId)
    .orderBy('id')
    .limit(most)
    .execute()
  return rows.map(deviceOf)
}

/** Online devices of a class, by id, from behind `after` on; without those that are in a rollout, where one is named. */
export async function onlineOfClass(
  db: Db,
  classId: string,
  after: DeviceId,
  most: number,
  outside?: string,
): Promise<readonly Device[]> {
  const rows = await inService(db)
    .selectAll('devices')
    .where('class', '=', classId)
    .where('online', '=', 1)
    .where('id', '>', after)
    .$if(outside !== undefined, (all) =>
      all.where((q) =>
        q.not(
          q.exists(
            q
              .selectFrom('rollout_devices')
              .select('rollout_devices.device')
              .where('rollout_devices.rollout', '=', outside ?? '')
              .whereRef('rollout_devices.device', '=', 'devices.id'),
          ),
        ),
      ),
    )
    .orderBy('id')
    .limit(most)
    .execute()
  return rows.map(deviceOf)
}

/** One device of a class for each set of runtimes that there is: all that decides which files are made for it. */
export async function representativesOf(db: Db, classId: string): Promise<readonly Device[]> {
  const rows = await inService(db)
    .select((q) => q.fn.min('id').as('id'))
    .where('class', '=', classId)
    .groupBy('runtimes')
    .execute()
  const ids = rows.map(({ id }) => id).sort()
  const found = await findDevices(db, ids)
  return ids.flatMap((id) => found.get(id) ?? [])
}

/** Of the roomiest device of the class; null where one has no limit, or none is known. Bytes. */
export async function largestRooms(
  db: Db,
  classId: string,
): Promise<{ readonly storageBytes: number | null; readonly memoryBytes: number | null }> {
  const row = await inService(db)
    .select((q) => [
      q.fn.countAll<number>().as('all'),
      q.fn.count<number>('storage_room').as('storages'),
      q.fn.count<number>('memory_room').as('memories'),
      q.fn.max('storage_room').as('storage'),
      q.fn.max('memory_room').as('memory'),
    ])
    .where('class', '=', classId)
    .executeTakeFirst()
  const all = Number(row?.all ?? 0)
  const known = (count: unknown, most: unknown) =>
    all === 0 || Number(count) < all ? null : Number(most)
  return {
    storageBytes: known(row?.storages, row?.storage),
    memoryBytes: known(row?.memories, row?.memory),
  }
}

/** Digests that devices of the class run for a model: as many rows as there are different sets of slots. */
export async function activeVariants(
  db: Db,
  classId: string,
  modelName: string,
): Promise<ReadonlySet<string>> {
  const rows = await inService(db).select('slots').distinct().where('class', '=', classId).execute()
  const slots = rows.flatMap((row) => readJson(slotsSchema, row.slots))
  const active = slots.filter((slot) => slot.active && slot.model === modelName)
  return new Set(active.map(({ variant }) => variant))
}

/** What it runs, by its own word. */
export async function slotsOf(db: Db, id: DeviceId): Promise<Birth['slots'] | undefined> {
  const row = await db.selectFrom('devices').select('slots').where('id', '=', id).executeTakeFirst()
  return row && readJson(slotsSchema, row.slots)
}

export async function findDevice(db: Db, id: DeviceId): Promise<Device | undefined> {
  const row = await db.selectFrom('devices').selectAll().where('id', '=', id).executeTakeFirst()
  return row && deviceOf(row)
}

export async function isOnline(db: Db, id: DeviceId): Promise<boolean> {
  const row = await db
    .selectFrom('devices')
    .select('online')
    .where('id', '=', id)
    .executeTakeFirst()
  return row?.online === 1
}

/** Of these, those that are online. */
export async function onlineAmong(
  db: Db,
  ids: readonly DeviceId[],
): Promise<ReadonlySet<DeviceId>> {
  if (ids.length === 0) return new Set()
  const rows = await db
    .selectFrom('devices')
    .select('id')
    .where('id', 'in', [...ids])
    .where('online', '=', 1)
    .execute()
  return new Set(rows.map(({ id }) => id))
}

/** Classes that devices in service belong to, by name. */
export async function classesInUse(db: Db): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('class_tallies')
    .select((q) => ['class', q.fn.sum<number>('devices').as('devices')])
    .groupBy('class')
    .orderBy('class')
    .execute()
  const retired = await db
    .selectFrom('retired_devices')
    .innerJoin('devices', 'devices.id', 'retired_devices.device')
    .select((q) => ['devices.class', q.fn.countAll<number>().as('devices')])
    .groupBy('devices.class')
    .execute()
  const gone = new Map(retired.map((row) => [row.class, Number(row.devices)]))
  return rows
    .filter((row) => Number(row.devices) > (gone.get(row.class) ?? 0))
    .map((row) => row.class)
}

export async function knownDevices(db: Db): Promise<readonly DeviceId[]> {
  const rows = await db.selectFrom('devices').select('id').orderBy('id').execute()
  return rows.map(({ id }) => id)
}

/** A retired device is of no class, and counts nowhere. */
export function inService(db: Db) {
  const retired = db.selectFrom('retired_devices').select('retired_devices.device')
  return db.selectFrom('devices').where('id', 'not in', retired)
}

export function deviceOf(row: Tables['devices']): Device {
  return {
    id: row.id,
    firstSeen: row.first_seen,
    lastSeen: row.last_seen,
    online: row.online === 1,
    epoch: readJson(epochSchema, row.epoch),
    agentVersion: row.agent_version,
    report: readJson(hardwareReportSchema, row.report),
    runtimes: readJson(runtimesSchema, row.runtimes),
    memoryLimitBytes: row.memory_limit,
    slots: readJson(slotsSchema, row.slots),
    class: row.class,
    classReason: row.class_reason === null ? [] : readJson(reasonsSchema, row.class_reason),
    storageRoom: row.storage_room,
    memoryRoom: row.memory_room,
    garbage: row.garbage,
    garbageNote: row.garbage_note,
  }
}
