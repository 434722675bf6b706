import { z } from 'zod'
import type { Digest } from '../../shared/digest.ts'
import type { DeviceId } from '../../shared/ids.ts'
import {
  assignOrderSchema,
  cancelOrderSchema,
  probeOrderSchema,
} from '../../shared/messages/index.ts'
import { areAmong, isAmong } from './few-texts.ts'
import { readKnown } from './json.ts'
import type { Db } from './tables.ts'

/** What waits to be sent. An assignment is signed when it is sent, so it never goes out stale. */
const outboxOrderSchema = z.discriminatedUnion('kind', [
  assignOrderSchema.omit({ offer: true, image: true }),
  probeOrderSchema,
  cancelOrderSchema,
])
export type OutboxOrder = z.infer<typeof outboxOrderSchema>

/** Into the outbox, with the artifacts it lets its device fetch. Call inside the transaction that decides it. */
export async function addOrder(
  db: Db,
  device: DeviceId,
  order: OutboxOrder,
  artifacts: readonly Digest[],
  at: Date,
  expiresAt: Date | null,
): Promise<void> {
  await addOrders(db, [{ device, order, artifacts }], at, expiresAt)
}

export interface NewOrder {
  readonly device: DeviceId
  readonly order: OutboxOrder
  readonly artifacts: readonly Digest[]
}

/** Many at once, as above. */
export async function addOrders(
  db: Db,
  added: readonly NewOrder[],
  at: Date,
  expiresAt: Date | null,
): Promise<void> {
  if (added.length === 0) return
  const rows = added.map(({ device, order }) => ({
    id: order.id,
    device,
    kind: order.kind,
    body: JSON.stringify(order),
    state: 'open',
    created_at: at.toISOString(),
    acked_at: null,
    expires_at: expiresAt?.toISOString() ?? null,
  }))
  await db.insertInto('orders').values(rows).execute()
  const allowed = added.flatMap(({ device, order, artifacts }) =>
    [...new Set(artifacts)].map((digest) => ({ order_id: order.id, device, digest })),
  )
  if (allowed.length === 0) return
  await db
    .insertInto('order_artifacts')
    .values(allowed)
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** The device may fetch these as long as the order is open. */
export async function allowFetching(
  db: Db,
  device: DeviceId,
  order: string,
  artifacts: readonly Digest[],
): Promise<void> {
  for (const digest of new Set(artifacts)) {
    await db
      .insertInto('order_artifacts')
      .values({ order_id: order, device, digest })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }
}

/** Not acknowledged and not expired, oldest first; without those that only a later planner can say. */
export async function pendingOrders(
  db: Db,
  device: DeviceId,
  at: Date,
  except: readonly string[] = [],
): Promise<readonly OutboxOrder[]> {
  return (await pendingOrdersOf(db, [{ device, except }], at))[0] ?? []
}

/** The same of many devices at once; answers for each. */
export async function pendingOrdersOf(
  db: Db,
  asked: readonly { readonly device: DeviceId; readonly except: readonly string[] }[],
  at: Date,
): Promise<readonly (readonly OutboxOrder[])[]> {
  const rows = await db
    .selectFrom('orders')
    .select(['id', 'device', 'body'])
    .where(isAmong(db, 'device', new Set(asked.map(({ device }) => device))))
    .where('state', '=', 'open')
    .where((q) => q.or([q('expires_at', 'is', null), q('expires_at', '>', at.toISOString())]))
    .orderBy('seq')
    .execute()
  return asked.map(({ device, except }) =>
    rows
      .filter((row) => row.device === device && !except.includes(row.id))
      .flatMap(({ body }) => readKnown(outboxOrderSchema, JSON.parse(body)) ?? []),
  )
}

/** Of these, those with orders that they have not acknowledged. */
export async function awaitedOf(
  db: Db,
  devices: readonly DeviceId[],
): Promise<ReadonlySet<DeviceId>> {
  const rows = await db
    .selectFrom('orders')
    .select('device')
    .distinct()
    .where(isAmong(db, 'device', devices))
    .where('state', '=', 'open')
    .execute()
  return new Set(rows.map(({ device }) => device))
}

/** Those with orders that they have not acknowledged. */
export async function devicesWithOpenOrders(db: Db): Promise<readonly DeviceId[]> {
  const rows = await db
    .selectFrom('orders')
    .select('device')
    .distinct()
    .where('state', '=', 'open')
    .execute()
  return rows.map(({ device }) => device)
}

export interface Acknowledgement {
  readonly device: DeviceId
  readonly order: string
}

/** Only the device it was sent to can acknowledge an order. Answers its kind where it was open until now. */
export async function ackOrder(
  db: Db,
  device: DeviceId,
  id: string,
  at: Date,
): Promise<string | undefined> {
  return (await ackOrders(db, [{ device, order: id }], at)).get(id)
}

/** Many at once, as above: kinds by order. */
export async function ackOrders(
  db: Db,
  said: readonly Acknowledgement[],
  at: Date,
): Promise<Map<string, string>> {
  if (said.length === 0) return new Map()
  const pairs = said.map(({ device, order }) => [order, device] as const)
  const ids = pairs.map(([order]) => order)
  const rows = await db
    .updateTable('orders')
    .set({ state: 'acked', acked_at: at.toISOString() })
    .where(isAmong(db, 'id', ids))
    .where(areAmong(db, ['id', 'device'], pairs))
    .where('state', '=', 'open')
    .returning(['id', 'kind'])
    .execute()
  return new Map(rows.map(({ id, kind }) => [id, kind]))
}

/**
 * What these devices took as another process of theirs is told them again. It may have been taken by a copy of the device that
 * is gone, or by a disk that is: whoever still has the order answers to its name, and does nothing twice.
 */
export async function reopenOrders(db: Db, devices: readonly DeviceId[]): Promise<void> {
  if (devices.length === 0) return
  await db
    .updateTable('orders')
    .set({ state: 'open' })
    .where(isAmong(db, 'device', devices))
    .where('state', '=', 'acked')
    .execute()
}

/** Nothing more is sent or fetched for it. */
export async function closeOrder(db: Db, id: string): Promise<void> {
  await closeOrders(db, [id])
}

export async function closeOrders(db: Db, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await db
    .updateTable('orders')
    .set({ state: 'closed' })
    .where('id', 'in', [...ids])
    .execute()
}

export async function findOrder(
  db: Db,
  id: string,
): Promise<
  | {
      readonly device: DeviceId
      /** Null for one of a kind that only a later planner knows. */
      readonly order: OutboxOrder | null
      readonly state: string
      /** At some time, by a process of the device that may be gone. */
      readonly wasAcked: boolean
      readonly expiresAt: string | null
    }
  | undefined
> {
  const row = await db.selectFrom('orders').selectAll().where('id', '=', id).executeTakeFirst()
  return (
    row && {
      device: row.device,
      order: readKnown(outboxOrderSchema, JSON.parse(row.body)) ?? null,
      state: row.state,
      wasAcked: row.acked_at !== null,
      expiresAt: row.expires_at,
    }
  )
}

export async function mayFetch(db: Db, device: DeviceId, digest: Digest): Promise<boolean> {
  const row = await db
    .selectFrom('order_artifacts')
    .innerJoin('orders', 'orders.id', 'order_artifacts.order_id')
    .select('orders.id')
    .where('order_artifacts.device', '=', device)
    .where('order_artifacts.digest', '=', digest)
    .where('orders.state', '!=', 'closed')
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** Orders that these devices have not finished, for choosing idle ones. */
export async function openOrderCounts(
  db: Db,
  devices: readonly DeviceId[],
): Promise<ReadonlyMap<DeviceId, number>> {
  if (devices.length === 0) return new Map()
  const rows = await db
    .selectFrom('orders')
    .select((q) => ['device', q.fn.countAll<number>().as('open')])
    .where('device', 'in', [...devices])
    .where('state', 'in', ['open', 'acked'])
    .groupBy('device')
    .execute()
  return new Map(rows.map(({ device, open }) => [device, Number(open)]))
}

/** Devices of a rollout whose first order was given since then. */
export async function toldSince(db: Db, rollout: string, since: Date): Promise<number> {
  const { count } = await db
    .selectFrom('orders')
    .innerJoin('rollout_devices', 'rollout_devices.order_id', 'orders.id')
    .select((q) => q.fn.countAll<number>().as('count'))
    .where('rollout_devices.rollout', '=', rollout)
    .where('rollout_devices.attempt', '=', 1)
    .where('orders.created_at', '>', since.toISOString())
    .executeTakeFirstOrThrow()
  return Number(count)
}
