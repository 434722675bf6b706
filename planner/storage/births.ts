import type { DeviceId } from '../../shared/ids.ts'
import { type Epoch, epochSchema } from '../../shared/messages/index.ts'
import type { Born } from './born.ts'
import { recordLabelsOf } from './device-labels.ts'
import { putSlotsOf } from './device-slots.ts'
import { recordRootsOf } from './directions.ts'
import { recordEngineNotesOf } from './engine-notes.ts'
import { isAmong, rowsInto } from './few-texts.ts'
import { readJson } from './json.ts'
import { reopenOrders } from './orders.ts'
import { recordTakers } from './runtime-packages.ts'
import type { Db } from './tables.ts'
import { recordZones } from './windows.ts'

/** What a device counts as, by what it says of itself. */
export interface Classification {
  readonly class: string
  readonly reason: readonly string[]
  readonly storageRoom: number | null
  readonly memoryRoom: number | null
}

export interface NewBirth extends Born {
  readonly found?: Classification | undefined
}

/** False for a birth older than the session known. */
export type BirthOutcome = 'new' | 'known' | false

/** Of a first birth only. */
const FIRST = ['id', 'first_seen'] as const
const SAID = [
  'last_seen',
  'epoch',
  'agent_version',
  'report',
  'runtimes',
  'memory_limit',
  'slots',
] as const
const CLASS = ['class', 'class_reason', 'storage_room', 'memory_room'] as const

const BEGINS = { garbage: 0, online: 1 } as const

const putClassified = rowsInto('devices', [...FIRST, ...SAID, ...CLASS], {
  always: BEGINS,
  key: ['id'],
  changes: ['online', ...SAID, ...CLASS],
})
const putUnclassified = rowsInto('devices', [...FIRST, ...SAID], {
  always: BEGINS,
  key: ['id'],
  changes: ['online', ...SAID],
})

/**
 * Sessions began, or are told again: many at once, in this order, by a few statements for all of them. Answers for each.
 * In the order of classes and names, so that two planners that store births take the same locks in the same order.
 */
export async function recordBirths(
  db: Db,
  all: readonly NewBirth[],
  at: Date,
): Promise<readonly BirthOutcome[]> {
  const known = await epochsOf(db, [...new Set(all.map(({ device }) => device))])
  const isRestarted = new Set<DeviceId>()
  const newest = new Map<DeviceId, NewBirth>()
  const outcomes = all.map((one): BirthOutcome => {
    const before = known.get(one.device)
    if (before && isOlder(one.birth.epoch, before)) return false
    if (before && before.start !== one.birth.epoch.start) isRestarted.add(one.device)
    known.set(one.device, one.birth.epoch)
    newest.set(one.device, one)
    return before ? 'known' : 'new'
  })
  const births = [...newest.values()].sort(
    (a, b) => compare(a.found?.class ?? '', b.found?.class ?? '') || compare(a.device, b.device),
  )
  const time = at.toISOString()
  // Without a class what is known of it stays: those are rows of another shape.
  const rowsOf = (some: readonly NewBirth[]) => some.map((one) => rowOf(one, time))
  await putClassified(db, rowsOf(births.filter(({ found }) => found)))
  await putUnclassified(db, rowsOf(births.filter(({ found }) => !found)))
  await reopenOrders(db, [...isRestarted].sort())
  await recordRootsOf(db, births)
  await recordEngineNotesOf(db, births)
  await recordTakers(db, births)
  await recordLabelsOf(db, births)
  await recordZones(db, births)
  await putSlotsOf(
    db,
    births.map(({ device, birth: { slots } }) => ({ device, slots })),
  )
  return outcomes
}

async function epochsOf(db: Db, ids: readonly DeviceId[]): Promise<Map<DeviceId, Epoch>> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('devices')
    .select(['id', 'epoch'])
    .where(isAmong(db, 'id', ids))
    .execute()
  return new Map(rows.map(({ id, epoch }) => [id, readJson(epochSchema, epoch)]))
}

function rowOf({ device, birth, found }: NewBirth, time: string) {
  return {
    id: device,
    first_seen: time,
    last_seen: time,
    epoch: JSON.stringify(birth.epoch),
    agent_version: birth.agentVersion,
    report: JSON.stringify(birth.report),
    runtimes: JSON.stringify(birth.runtimes),
    memory_limit: birth.memoryLimitBytes,
    slots: JSON.stringify(birth.slots),
    class: found?.class ?? null,
    class_reason: found ? JSON.stringify(found.reason) : null,
    storage_room: found?.storageRoom ?? null,
    memory_room: found?.memoryRoom ?? null,
  }
}

export function classColumns({ class: classId, reason, storageRoom, memoryRoom }: Classification) {
  return {
    class: classId,
    class_reason: JSON.stringify(reason),
    storage_room: storageRoom,
    memory_room: memoryRoom,
  }
}

/** Starts of an agent are random, so only connections of one start have an order. */
function isOlder(epoch: Epoch, than: Epoch): boolean {
  return epoch.start === than.start && epoch.connection < than.connection
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
