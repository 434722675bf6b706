import { z } from 'zod'
import type { DeviceId } from '../../shared/ids.ts'
import {
  type Birth,
  birthSchema,
  type Epoch,
  epochSchema,
  hardwareReportSchema,
} from '../../shared/messages/index.ts'
import { recordDeviceLabels } from './device-labels.ts'
import { recordRoots } from './directions.ts'
import { recordEngineNotes } from './engine-notes.ts'
import { readJson } from './json.ts'
import { recordTaker } from './runtime-packages.ts'
import type { Db, Tables } from './tables.ts'
import { recordZone } from './windows.ts'

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
): Promise<boolean> {
  const known = await db
    .selectFrom('devices')
    .select(['epoch'])
    .where('id', '=', device)
    .executeTakeFirst()
  if (known && isOlder(birth.epoch, readJson(epochSchema, known.epoch))) return false
  const time = at.toISOString()
  const row = {
    last_seen: time,
    online: 1,
    epoch: JSON.stringify(birth.epoch),
    agent_version: birth.agentVersion,
    report: JSON.stringify(birth.report),
    runtimes: JSON.stringify(birth.runtimes),
    memory_limit: birth.memoryLimitBytes,
    slots: JSON.stringify(birth.slots),
  }
  await db
    .insertInto('devices')
    .values({ id: device, first_seen: time, garbage: 0, ...row })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
    .execute()
  await recordRoots(db, device, birth.roots)
  await recordEngineNotes(db, device, birth)
  await recordTaker(db, device, birth.acceptsRuntimes === true)
  await recordDeviceLabels(db, device, birth.labels ?? {})
  await recordZone(db, device, birth.timeZone)
  return true
}

/** Ignored unless the epoch is the device's present one: a late death speaks for a session long gone. */
export async function recordDeath(
  db: Db,
  device: DeviceId,
  epoch: Epoch,
  at: Date,
): Promise<boolean> {
  const result = await db
    .updateTable('devices')
    .set({ online: 0, last_seen: at.toISOString() })
    .where('id', '=', device)
    .where('epoch', '=', JSON.stringify({ start: epoch.start, connection: epoch.connection }))
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
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

export async function recordClass(
  db: Db,
  device: DeviceId,
  found: {
    readonly class: string
    readonly reason: readonly string[]
    readonly storageRoom: number | null
    readonly memoryRoom: number | null
  },
): Promise<void> {
  await db
    .updateTable('devices')
    .set({
      class: found.class,
      class_reason: JSON.stringify(found.reason),
      storage_room: found.storageRoom,
      memory_room: found.memoryRoom,
    })
    .where('id', '=', device)
    .execute()
}

export async function recordSlots(db: Db, device: DeviceId, slots: Birth['slots']): Promise<void> {
  await db
    .updateTable('devices')
    .set({ slots: JSON.stringify(slots) })
    .where('id', '=', device)
    .execute()
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

/** Classes that devices belong to, by name. */
export async function classesInUse(db: Db): Promise<readonly string[]> {
  const rows = await inService(db)
    .select('class')
    .distinct()
    .where('class', 'is not', null)
    .orderBy('class')
    .execute()
  return rows.flatMap((row) => row.class ?? [])
}

export async function knownDevices(db: Db): Promise<readonly DeviceId[]> {
  const rows = await db.selectFrom('devices').select('id').orderBy('id').execute()
  return rows.map(({ id }) => id)
}

/** A retired device is of no class, and counts nowhere. */
function inService(db: Db) {
  const retired = db.selectFrom('retired_devices').select('retired_devices.device')
  return db.selectFrom('devices').where('id', 'not in', retired)
}

/** Starts of an agent are random, so only connections of one start have an order. */
function isOlder(epoch: Epoch, than: Epoch): boolean {
  return epoch.start === than.start && epoch.connection < than.connection
}

function deviceOf(row: Tables['devices']): Device {
  return {
    id: row.id,
    firstSeen: row.first_seen,
    lastSeen: row.last_seen,
    online: row.online === 1,
    epoch: readJson(epochSchema, row.epoch),
    agentVersion: row.agent_version,
    report: readJson(hardwareReportSchema, row.report),
    runtimes: readJson(birthSchema.shape.runtimes, row.runtimes),
    memoryLimitBytes: row.memory_limit,
    slots: readJson(birthSchema.shape.slots, row.slots),
    class: row.class,
    classReason: row.class_reason === null ? [] : readJson(z.array(z.string()), row.class_reason),
    storageRoom: row.storage_room,
    memoryRoom: row.memory_room,
    garbage: row.garbage,
    garbageNote: row.garbage_note,
  }
}
