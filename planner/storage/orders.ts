import type { Digest } from '../../shared/digest.ts'
import type { DeviceId } from '../../shared/ids.ts'
import { type Order, orderSchema } from '../../shared/messages/orders.ts'
import { readJson } from './json.ts'
import type { Db } from './tables.ts'

/** Into the outbox, with the artifacts it lets its device fetch. Call inside the transaction that decides it. */
export async function addOrder(
  db: Db,
  device: DeviceId,
  order: Order,
  artifacts: readonly Digest[],
  at: Date,
  expiresAt: Date | null,
): Promise<void> {
  await db
    .insertInto('orders')
    .values({
      id: order.id,
      device,
      kind: order.kind,
      body: JSON.stringify(order),
      state: 'open',
      created_at: at.toISOString(),
      acked_at: null,
      expires_at: expiresAt?.toISOString() ?? null,
    })
    .execute()
  for (const digest of new Set(artifacts)) {
    await db.insertInto('order_artifacts').values({ order_id: order.id, device, digest }).execute()
  }
}

/** Not acknowledged and not expired, oldest first. */
export async function pendingOrders(db: Db, device: DeviceId, at: Date): Promise<readonly Order[]> {
  const rows = await db
    .selectFrom('orders')
    .select('body')
    .where('device', '=', device)
    .where('state', '=', 'open')
    .where((q) => q.or([q('expires_at', 'is', null), q('expires_at', '>', at.toISOString())]))
    .orderBy('seq')
    .execute()
  return rows.map(({ body }) => readJson(orderSchema, body))
}

/** Only the device it was sent to can acknowledge an order. */
export async function ackOrder(db: Db, device: DeviceId, id: string, at: Date): Promise<void> {
  await db
    .updateTable('orders')
    .set({ state: 'acked', acked_at: at.toISOString() })
    .where('id', '=', id)
    .where('device', '=', device)
    .where('state', '=', 'open')
    .execute()
}

/** Nothing more is sent or fetched for it. */
export async function closeOrder(db: Db, id: string): Promise<void> {
  await db.updateTable('orders').set({ state: 'closed' }).where('id', '=', id).execute()
}

export async function findOrder(
  db: Db,
  id: string,
): Promise<
  | {
      readonly device: DeviceId
      readonly order: Order
      readonly state: string
      readonly expiresAt: string | null
    }
  | undefined
> {
  const row = await db.selectFrom('orders').selectAll().where('id', '=', id).executeTakeFirst()
  return (
    row && {
      device: row.device,
      order: readJson(orderSchema, row.body),
      state: row.state,
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

/** Orders each device has not finished, for choosing idle ones. */
export async function openOrderCounts(db: Db): Promise<ReadonlyMap<DeviceId, number>> {
  const rows = await db
    .selectFrom('orders')
    .select((q) => ['device', q.fn.countAll<number>().as('open')])
    .where('state', '!=', 'closed')
    .groupBy('device')
    .execute()
  return new Map(rows.map(({ device, open }) => [device, Number(open)]))
}
