import type { Digest } from '../../shared/digest.ts'
import type { DeviceId } from '../../shared/ids.ts'
import { isAmong } from './few-texts.ts'
import type { Db } from './tables.ts'

/**
 * What a device told of: not yet here, here, not to be had, or here once and gone by age or quota. The last three are kept
 * for a while, so that it is not asked for again.
 */
export const CAPTURED_STATES = ['offered', 'kept', 'refused', 'dropped'] as const
export type CapturedState = (typeof CAPTURED_STATES)[number]

/** A sample that was collected. */
export interface CapturedRow {
  readonly seq: number
  readonly device: DeviceId
  readonly digest: Digest
  readonly model: string
  readonly bytes: number
  readonly variant: Digest
  readonly why: string
  readonly at: string
  readonly receivedAt: string
}

export interface CapturedQuery {
  readonly model?: string | undefined
  /** Absent: of every device. */
  readonly devices?: ReadonlySet<DeviceId> | undefined
  /** Received since, ISO 8601 in UTC. */
  readonly since?: string | undefined
}

/** Samples of one device that wait to be collected; more are told of again. */
const MOST_OFFERED = 256

/** What a device tells of; of what was settled before it is to be told once more. Inside a transaction. */
export async function offer(
  db: Db,
  device: DeviceId,
  model: string,
  samples: readonly { readonly digest: Digest; readonly bytes: number }[],
  at: Date,
): Promise<void> {
  const { count } = await db
    .selectFrom('captured_samples')
    .select((q) => q.fn.countAll<number>().as('count'))
    .where('device', '=', device)
    .where('state', '=', 'offered')
    .executeTakeFirstOrThrow()
  await db
    .updateTable('captured_samples')
    .set({ told: 0 })
    .where('device', '=', device)
    .where('state', '!=', 'offered')
    .where('digest', 'in', [...samples.map(({ digest }) => digest), ''])
    .execute()
  const fresh = samples.slice(0, Math.max(0, MOST_OFFERED - Number(count)))
  if (fresh.length === 0) return
  const row = { device, model_name: model, state: 'offered', told: 1, offered_at: at.toISOString() }
  const unknown = { variant: null, why: null, at: null, settled_at: null, error: null }
  await db
    .insertInto('captured_samples')
    .values(fresh.map((sample) => ({ ...row, ...unknown, ...sample })))
    .onConflict((conflict) => conflict.columns(['device', 'digest']).doNothing())
    .execute()
}

/** Which of these devices have something to be asked for or told, as `nextOffered` and `untold` say one by one. */
export async function concernedOf(
  db: Db,
  devices: readonly DeviceId[],
): Promise<ReadonlySet<DeviceId>> {
  if (devices.length === 0) return new Set()
  const rows = await db
    .selectFrom('captured_samples')
    .select('device')
    .distinct()
    .where(isAmong(db, 'device', new Set(devices)))
    .where((q) => q.or([q('state', '=', 'offered'), q('told', '=', 0)]))
    .execute()
  return new Set(rows.map(({ device }) => device))
}

/** The device has them no more. */
export async function withdraw(
  db: Db,
  device: DeviceId,
  digests: readonly Digest[],
): Promise<void> {
  await db
    .deleteFrom('captured_samples')
    .where('device', '=', device)
    .where('state', '=', 'offered')
    .where('digest', 'in', [...digests, ''])
    .execute()
}

export async function nextOffered(
  db: Db,
  device: DeviceId,
): Promise<
  { readonly model: string; readonly digest: Digest; readonly bytes: number } | undefined
> {
  const row = await db
    .selectFrom('captured_samples')
    .select(['model_name as model', 'digest', 'bytes'])
    .where('device', '=', device)
    .where('state', '=', 'offered')
    .orderBy('seq')
    .limit(1)
    .executeTakeFirst()
  return row && { ...row, bytes: Number(row.bytes) }
}

/** Settled, and the device does not know. */
export async function untold(db: Db, device: DeviceId, most: number): Promise<readonly Digest[]> {
  const rows = await db
    .selectFrom('captured_samples')
    .select('digest')
    .where('device', '=', device)
    .where('state', '!=', 'offered')
    .where('told', '=', 0)
    .limit(most)
    .execute()
  return rows.map(({ digest }) => digest)
}

export async function markTold(
  db: Db,
  device: DeviceId,
  digests: readonly Digest[],
): Promise<void> {
  await db
    .updateTable('captured_samples')
    .set({ told: 1 })
    .where('device', '=', device)
    .where('digest', 'in', [...digests, ''])
    .execute()
}

export async function recordKept(
  db: Db,
  device: DeviceId,
  digest: Digest,
  { variant, why, at: takenAt }: Pick<CapturedRow, 'variant' | 'why' | 'at'>,
  at: Date,
): Promise<void> {
  const values = { state: 'kept', variant, why, at: takenAt } as const
  await settle(db, device, digest, { ...values, settled_at: at.toISOString() })
}

export async function recordRefused(
  db: Db,
  device: DeviceId,
  digest: Digest,
  error: string,
  at: Date,
): Promise<void> {
  await settle(db, device, digest, { state: 'refused', error, settled_at: at.toISOString() })
}

/** Its file is gone, or goes now. */
export async function recordDropped(db: Db, device: DeviceId, digest: Digest): Promise<void> {
  await db
    .updateTable('captured_samples')
    .set({ state: 'dropped' })
    .where('device', '=', device)
    .where('digest', '=', digest)
    .execute()
}

async function settle(
  db: Db,
  device: DeviceId,
  digest: Digest,
  values: {
    readonly state: CapturedState
    readonly settled_at: string
    readonly variant?: Digest
    readonly why?: string
    readonly at?: string
    readonly error?: string
  },
): Promise<void> {
  await db
    .updateTable('captured_samples')
    .set({ ...values, told: 0 })
    .where('device', '=', device)
    .where('digest', '=', digest)
    .execute()
}

export interface CapturedPlace {
  /** The last of the page before; absent: from the beginning. */
  readonly after?: number | undefined
  /** The newest first. */
  readonly backwards?: boolean
}

/** The oldest first, after this one; so many rows are looked at. */
export async function pageOfKept(
  db: Db,
  { model, devices, since }: CapturedQuery,
  { after, backwards = false }: CapturedPlace,
  most: number,
): Promise<readonly CapturedRow[]> {
  let query = db.selectFrom('captured_samples').selectAll().where('state', '=', 'kept')
  if (after !== undefined) query = query.where('seq', backwards ? '<' : '>', after)
  if (model !== undefined) query = query.where('model_name', '=', model)
  if (since !== undefined) query = query.where('settled_at', '>=', since)
  if (devices?.size === 1) query = query.where('device', 'in', [...devices])
  const rows = await query
    .orderBy('seq', backwards ? 'desc' : 'asc')
    .limit(most)
    .execute()
  return rows.flatMap((row) => {
    const { seq, device, digest, bytes, variant, why, at, settled_at: receivedAt } = row
    if (variant === null || why === null || at === null || receivedAt === null) return []
    const known = { device, digest, bytes: Number(bytes), variant, why, at, receivedAt }
    return [{ seq, model: row.model_name, ...known }]
  })
}

/** What each device has here, the most first. */
export async function keptByDevice(
  db: Db,
): Promise<readonly { readonly device: DeviceId; readonly bytes: number }[]> {
  const rows = await db
    .selectFrom('captured_samples')
    .select((q) => ['device', q.fn.sum<number>('bytes').as('bytes')])
    .where('state', '=', 'kept')
    .groupBy('device')
    .execute()
  return rows
    .map(({ device, bytes }) => ({ device, bytes: Number(bytes) }))
    .sort((a, b) => b.bytes - a.bytes)
}

export async function oldestKept(
  db: Db,
  device: DeviceId,
): Promise<{ readonly digest: Digest; readonly bytes: number } | undefined> {
  const row = await db
    .selectFrom('captured_samples')
    .select(['digest', 'bytes'])
    .where('device', '=', device)
    .where('state', '=', 'kept')
    .orderBy('seq')
    .limit(1)
    .executeTakeFirst()
  return row && { digest: row.digest, bytes: Number(row.bytes) }
}

/** Everything that was settled before, or offered and never fetched. */
export async function forgetBefore(db: Db, before: Date): Promise<void> {
  const at = before.toISOString()
  await db
    .deleteFrom('captured_samples')
    .where((q) =>
      q.or([
        q('settled_at', '<', at),
        q.and([q('settled_at', 'is', null), q('offered_at', '<', at)]),
      ]),
    )
    .execute()
}

/** Files of a device that have a right to be there. */
export async function heldBy(db: Db, device: DeviceId): Promise<ReadonlySet<Digest>> {
  const rows = await db
    .selectFrom('captured_samples')
    .select('digest')
    .where('device', '=', device)
    .where('state', 'in', ['kept', 'offered'])
    .execute()
  return new Set(rows.map(({ digest }) => digest))
}

/** Of a model that is removed. */
export async function forgetModel(db: Db, model: string): Promise<void> {
  await db.deleteFrom('captured_samples').where('model_name', '=', model).execute()
}

/** Told of by devices, and not here yet. */
export async function countOffered(
  db: Db,
  { model, devices }: Pick<CapturedQuery, 'model' | 'devices'>,
): Promise<number> {
  let query = db
    .selectFrom('captured_samples')
    .select((q) => ['device', q.fn.countAll<number>().as('count')])
    .where('state', '=', 'offered')
  if (model !== undefined) query = query.where('model_name', '=', model)
  const rows = await query.groupBy('device').execute()
  return rows
    .filter(({ device }) => devices?.has(device) ?? true)
    .reduce((sum, { count }) => sum + Number(count), 0)
}
