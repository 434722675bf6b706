import type { Selectable } from 'kysely'
import { z } from 'zod'
import { wordOr } from '../../shared/open-words.ts'
import { readJsonOrNull } from './json.ts'
import type { Db, Tables } from './tables.ts'

export interface StoredWebhook {
  readonly name: string
  readonly url: string
  readonly secret: string
  /** Null: all kinds. */
  readonly kinds: readonly string[] | null
  readonly createdBy: string
  readonly createdAt: string
  readonly lastAnswer: string | null
}

export const DELIVERY_STATES = ['waiting', 'delivered', 'dead'] as const
export type DeliveryState = (typeof DELIVERY_STATES)[number]
const stateSchema = wordOr(DELIVERY_STATES, 'dead')

export interface StoredDelivery {
  readonly seq: number
  /** Of the event: the same to every receiver. */
  readonly id: string
  readonly webhook: string
  readonly kind: string
  readonly body: string
  readonly state: DeliveryState
  readonly attempts: number
  readonly nextAt: string
  readonly lastAnswer: string | null
  readonly createdAt: string
}

const kindsSchema = z.array(z.string())

/** False where the name is taken. */
export async function addWebhook(
  db: Db,
  { name, url, secret, kinds, createdBy, createdAt }: Omit<StoredWebhook, 'lastAnswer'>,
): Promise<boolean> {
  const added = await db
    .insertInto('webhooks')
    .values({
      ...{ name, url, secret, created_by: createdBy, created_at: createdAt, last_answer: null },
      kinds: kinds === null ? null : JSON.stringify(kinds),
    })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .executeTakeFirst()
  return (added.numInsertedOrUpdatedRows ?? 0n) > 0n
}

export async function listWebhooks(db: Db): Promise<readonly StoredWebhook[]> {
  const rows = await db.selectFrom('webhooks').selectAll().orderBy('name').execute()
  return rows.map((row) => ({
    name: row.name,
    url: row.url,
    secret: row.secret,
    kinds: readJsonOrNull(kindsSchema, row.kinds),
    createdBy: row.created_by,
    createdAt: row.created_at,
    lastAnswer: row.last_answer,
  }))
}

/** Answers how many deliveries it never got; undefined where there is no such webhook. */
export async function removeWebhook(db: Db, name: string): Promise<number | undefined> {
  const gone = await db.deleteFrom('webhooks').where('name', '=', name).executeTakeFirst()
  if (gone.numDeletedRows === 0n) return undefined
  const undelivered = await db
    .deleteFrom('webhook_deliveries')
    .where('webhook', '=', name)
    .where('state', '!=', 'delivered')
    .executeTakeFirst()
  await db.deleteFrom('webhook_deliveries').where('webhook', '=', name).execute()
  return Number(undelivered.numDeletedRows)
}

/** Once for each event, however often it is asked. */
export async function addDelivery(
  db: Db,
  delivery: Pick<StoredDelivery, 'id' | 'webhook' | 'kind' | 'body' | 'createdAt'>,
): Promise<void> {
  const { id, webhook, kind, body, createdAt } = delivery
  const row = { id, webhook, kind, body, created_at: createdAt, next_at: createdAt }
  await db
    .insertInto('webhook_deliveries')
    .values({ ...row, state: 'waiting', attempts: 0, last_answer: null })
    .onConflict((conflict) => conflict.columns(['webhook', 'id']).doNothing())
    .execute()
}

/** Oldest first, of one receiver. */
export async function dueDeliveries(
  db: Db,
  webhook: string,
  now: Date,
  most: number,
): Promise<readonly StoredDelivery[]> {
  const rows = await db
    .selectFrom('webhook_deliveries')
    .selectAll()
    .where('webhook', '=', webhook)
    .where('state', '=', 'waiting')
    .where('next_at', '<=', now.toISOString())
    .orderBy('seq')
    .limit(most)
    .execute()
  return rows.map(deliveryOf)
}

export async function noteAttempt(
  db: Db,
  { seq, webhook }: Pick<StoredDelivery, 'seq' | 'webhook'>,
  to: Pick<StoredDelivery, 'state' | 'attempts' | 'nextAt' | 'lastAnswer'>,
): Promise<void> {
  const { state, attempts, nextAt, lastAnswer } = to
  await db
    .updateTable('webhook_deliveries')
    .set({ state, attempts, next_at: nextAt, last_answer: lastAnswer })
    .where('seq', '=', seq)
    .execute()
  await db
    .updateTable('webhooks')
    .set({ last_answer: lastAnswer })
    .where('name', '=', webhook)
    .execute()
}

/** Given up, newest first, from before `seq` on. */
export async function deadDeliveries(
  db: Db,
  { webhook, before, most }: { webhook?: string | undefined; before?: number; most: number },
): Promise<readonly StoredDelivery[]> {
  let query = db.selectFrom('webhook_deliveries').selectAll().where('state', '=', 'dead')
  if (webhook !== undefined) query = query.where('webhook', '=', webhook)
  if (before !== undefined) query = query.where('seq', '<', before)
  return (await query.orderBy('seq', 'desc').limit(most).execute()).map(deliveryOf)
}

/** By the number that stands in the list. */
export async function findDelivery(db: Db, seq: number): Promise<StoredDelivery | undefined> {
  const row = await db
    .selectFrom('webhook_deliveries')
    .selectAll()
    .where('seq', '=', seq)
    .executeTakeFirst()
  return row && deliveryOf(row)
}

export async function countByState(
  db: Db,
): Promise<readonly { webhook: string; state: string; deliveries: number }[]> {
  const rows = await db
    .selectFrom('webhook_deliveries')
    .select((q) => ['webhook', 'state', q.fn.countAll<number>().as('deliveries')])
    .groupBy(['webhook', 'state'])
    .execute()
  return rows.map((row) => ({ ...row, deliveries: Number(row.deliveries) }))
}

/** What was delivered is kept for a while only, and of what was given up the newest. */
export async function forgetDeliveries(
  db: Db,
  deliveredBefore: Date,
  mostDead: number,
): Promise<void> {
  await db
    .deleteFrom('webhook_deliveries')
    .where('state', '=', 'delivered')
    .where('created_at', '<', deliveredBefore.toISOString())
    .execute()
  const last = await db
    .selectFrom('webhook_deliveries')
    .select('seq')
    .where('state', '=', 'dead')
    .orderBy('seq', 'desc')
    .offset(mostDead)
    .limit(1)
    .executeTakeFirst()
  if (last === undefined) return
  await db
    .deleteFrom('webhook_deliveries')
    .where('state', '=', 'dead')
    .where('seq', '<=', last.seq)
    .execute()
}

function deliveryOf(row: Selectable<Tables['webhook_deliveries']>): StoredDelivery {
  return {
    seq: Number(row.seq),
    id: row.id,
    webhook: row.webhook,
    kind: row.kind,
    body: row.body,
    state: stateSchema.parse(row.state),
    attempts: Number(row.attempts),
    nextAt: row.next_at,
    lastAnswer: row.last_answer,
    createdAt: row.created_at,
  }
}
