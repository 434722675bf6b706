import type { Digest } from '../../shared/digest.ts'
import { OPEN_STATES } from '../rollout/index.ts'
import type { StoredDirection } from './directions.ts'
import { isAmong } from './few-texts.ts'
import { memberOf, type RolloutDevice } from './rollouts.ts'
import type { Db } from './tables.ts'

/** Many devices at once: what a wave, or a batch of reports, comes to. All of it inside the transaction that decides it. */

/** Of each device its places in open rollouts. */
export async function openMemberships(
  db: Db,
  devices: readonly string[],
): Promise<readonly RolloutDevice[]> {
  if (devices.length === 0) return []
  const rows = await db
    .selectFrom('rollout_devices')
    .innerJoin('rollouts', 'rollouts.id', 'rollout_devices.rollout')
    .selectAll('rollout_devices')
    .where('rollout_devices.device', 'in', [...devices])
    .where('rollouts.state', 'in', [...OPEN_STATES])
    .execute()
  return rows.map(memberOf)
}

/** Of these, those that were given back what they had before, by an abort. */
export async function revertedOf(db: Db, devices: readonly string[]): Promise<ReadonlySet<string>> {
  if (devices.length === 0) return new Set()
  const rows = await db
    .selectFrom('rollout_devices')
    .select('device')
    .distinct()
    .where(isAmong(db, 'device', devices))
    .where('state', '=', 'reverted')
    .execute()
  return new Set(rows.map(({ device }) => device))
}

export async function membersByOrder(
  db: Db,
  orders: readonly string[],
): Promise<ReadonlyMap<string, RolloutDevice>> {
  if (orders.length === 0) return new Map()
  const rows = await db
    .selectFrom('rollout_devices')
    .selectAll()
    .where('order_id', 'in', [...orders])
    .execute()
  return new Map(rows.map((row) => [row.order_id ?? '', memberOf(row)]))
}

/** By device, from behind `after` on. */
export async function pageOfMembers(
  db: Db,
  rollout: string,
  after: string,
  most: number,
): Promise<readonly RolloutDevice[]> {
  const rows = await db
    .selectFrom('rollout_devices')
    .selectAll()
    .where('rollout', '=', rollout)
    .where('device', '>', after)
    .orderBy('device')
    .limit(most)
    .execute()
  return rows.map(memberOf)
}

/** A few that are on their way, for people. */
export async function someInStates(
  db: Db,
  rollout: string,
  states: readonly string[],
  most: number,
): Promise<readonly RolloutDevice[]> {
  const rows = await db
    .selectFrom('rollout_devices')
    .selectAll()
    .where('state', 'in', [...states])
    .where('rollout', '=', rollout)
    .limit(most)
    .execute()
  return rows.map(memberOf)
}

export type NewMember = Omit<RolloutDevice, 'updatedAt' | 'forgiven' | 'error'> & {
  readonly error?: string
}

/** Join the rollout, or start over with a new order. */
export async function putMembers(db: Db, members: readonly NewMember[], at: Date): Promise<void> {
  if (members.length === 0) return
  const rows = members.map((member) => ({
    rollout: member.rollout,
    device: member.device,
    wave: member.wave,
    state: member.state,
    variant: member.variant,
    order_id: member.orderId,
    attempt: member.attempt,
    previous: member.previous,
    forgiven: 0,
    error: member.error ?? null,
    updated_at: at.toISOString(),
  }))
  await db
    .insertInto('rollout_devices')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['rollout', 'device']).doUpdateSet((row) => ({
        wave: row.ref('excluded.wave'),
        state: row.ref('excluded.state'),
        variant: row.ref('excluded.variant'),
        order_id: row.ref('excluded.order_id'),
        attempt: row.ref('excluded.attempt'),
        previous: row.ref('excluded.previous'),
        forgiven: row.ref('excluded.forgiven'),
        error: row.ref('excluded.error'),
        updated_at: row.ref('excluded.updated_at'),
      })),
    )
    .execute()
}

/** Whatever these devices were told of this model, or were to be told, by whichever rollout: nothing of it is sent any more. */
export async function closeAssignments(
  db: Db,
  devices: readonly string[],
  modelName: string,
): Promise<void> {
  if (devices.length === 0) return
  const told = db
    .selectFrom('rollout_devices')
    .innerJoin('rollouts', 'rollouts.id', 'rollout_devices.rollout')
    .select('rollout_devices.order_id')
    .where('rollout_devices.device', 'in', [...devices])
    .where('rollouts.model_name', '=', modelName)
  await db
    .updateTable('orders')
    .set({ state: 'closed' })
    .where('id', 'in', told)
    .where('state', '!=', 'closed')
    .execute()
  const ofModel = db.selectFrom('rollouts').select('id').where('model_name', '=', modelName)
  await db
    .updateTable('rollout_devices')
    .set({ state: 'released', error: 'a newer assignment took its place' })
    .where('device', 'in', [...devices])
    .where('state', '=', 'reverting')
    .where('order_id', 'is', null)
    .where('rollout', 'in', ofModel)
    .execute()
}

/**
 * Of each device a counter of the model above every one before it, by device. They follow the clock (seconds since 1970),
 * so that a planner whose database was restored from a backup is not refused by devices that saw later counters; a clock
 * that jumps back only makes them count by ones.
 */
export async function countOn(
  db: Db,
  devices: readonly string[],
  modelName: string,
  at: Date,
): Promise<ReadonlyMap<string, number>> {
  if (devices.length === 0) return new Map()
  const counter = Math.floor(at.getTime() / 1000)
  const rows = await db
    .insertInto('counters')
    .values(devices.map((device) => ({ device, model_name: modelName, counter })))
    .onConflict((conflict) =>
      conflict.columns(['device', 'model_name']).doUpdateSet((row) => ({
        counter: row
          .case()
          .when('counters.counter', '<', row.ref('excluded.counter'))
          .then(row.ref('excluded.counter'))
          .else(row('counters.counter', '+', 1))
          .end(),
      })),
    )
    .returning(['device', 'counter'])
    .execute()
  return new Map(rows.map((row) => [row.device, row.counter]))
}

export interface NewDirection {
  readonly device: string
  readonly variant: Digest
  readonly engine: StoredDirection['engine']
}

/** In place of what they were told of this model before. */
export async function putDirections(
  db: Db,
  model: string,
  classId: string,
  directed: readonly NewDirection[],
): Promise<void> {
  if (directed.length === 0) return
  await db
    .insertInto('directions')
    .values(
      directed.map(({ device, variant }) => ({
        device,
        model_name: model,
        variant,
        class: classId,
      })),
    )
    .onConflict((conflict) =>
      conflict.columns(['device', 'model_name']).doUpdateSet((row) => ({
        variant: row.ref('excluded.variant'),
        class: row.ref('excluded.class'),
      })),
    )
    .execute()
  await db
    .deleteFrom('directed_engines')
    .where(
      'device',
      'in',
      directed.map(({ device }) => device),
    )
    .where('model_name', '=', model)
    .execute()
  const engines = directed.flatMap(({ device, engine }) =>
    engine === null ? [] : [{ device, model_name: model, engine: JSON.stringify(engine) }],
  )
  if (engines.length > 0) await db.insertInto('directed_engines').values(engines).execute()
}
