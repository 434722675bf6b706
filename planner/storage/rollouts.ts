import { newId } from '../../shared/ids.ts'
import { wordOr } from '../../shared/open-words.ts'
import {
  MEMBER_STATES,
  type MemberState,
  OPEN_STATES,
  ROLLOUT_STATES,
  type RolloutOptions,
  type RolloutState,
  rolloutOptionsSchema,
} from '../rollout/index.ts'
import { readJson } from './json.ts'
import type { Db, Tables } from './tables.ts'

/** Read as the state in which nothing is done any more, and nothing can be asked for. */
const rolloutStateSchema = wordOr(ROLLOUT_STATES, 'superseded')
/** Read as what counts at no gate, and nobody touches. */
export const memberStateSchema = wordOr(MEMBER_STATES, 'released')

export interface Rollout {
  readonly id: string
  /** Revision that is rolled out. */
  readonly model: string
  readonly modelName: string
  readonly class: string
  /** `seq` of the selection it follows. */
  readonly selection: number
  readonly state: RolloutState
  readonly wave: number
  readonly options: RolloutOptions
  /** Why it is in this state. */
  readonly reason: string
  readonly createdAt: string
  readonly updatedAt: string
}

export interface RolloutDevice {
  readonly rollout: string
  readonly device: string
  readonly wave: number
  readonly state: MemberState
  /** Content key of the variant it was given; null where none fits. */
  readonly variant: string | null
  readonly orderId: string | null
  readonly attempt: number
  /** Digest of what it ran before. */
  readonly previous: string | null
  readonly forgiven: boolean
  /** Why it stands there: what failed, or what it waits for while it is under way. */
  readonly error: string | null
  readonly updatedAt: string
}

export async function addRollout(
  db: Db,
  rollout: Pick<
    Rollout,
    'model' | 'modelName' | 'class' | 'selection' | 'state' | 'options' | 'reason'
  >,
  at: Date,
): Promise<Rollout> {
  const time = await afterAll(db, rollout.modelName, at)
  const added = { ...rollout, id: newId(), wave: 0, createdAt: time, updatedAt: time }
  await db
    .insertInto('rollouts')
    .values({
      id: added.id,
      model: added.model,
      model_name: added.modelName,
      class: added.class,
      selection: added.selection,
      state: added.state,
      wave: 0,
      options: JSON.stringify(added.options),
      reason: added.reason,
      created_at: time,
      updated_at: time,
    })
    .execute()
  return added
}

/** The newest is the one that began last, whatever the clock says meanwhile. */
async function afterAll(db: Db, modelName: string, at: Date): Promise<string> {
  const last = await db
    .selectFrom('rollouts')
    .select((q) => q.fn.max('created_at').as('at'))
    .where('model_name', '=', modelName)
    .executeTakeFirst()
  const earliest = last?.at ? Date.parse(last.at) + 1 : 0
  return new Date(Math.max(at.getTime(), earliest)).toISOString()
}

export async function moveRollout(
  db: Db,
  id: string,
  to: { readonly state: RolloutState; readonly wave: number; readonly reason: string },
  at: Date,
): Promise<void> {
  await db
    .updateTable('rollouts')
    .set({ state: to.state, wave: to.wave, reason: to.reason, updated_at: at.toISOString() })
    .where('id', '=', id)
    .execute()
}

/** Why it is where it is; nothing where somebody moved it meanwhile, for whom another reason holds. */
export async function sayWhy(
  db: Db,
  { id, state, wave }: Pick<Rollout, 'id' | 'state' | 'wave'>,
  reason: string,
  at: Date,
): Promise<void> {
  await db
    .updateTable('rollouts')
    .set({ reason, updated_at: at.toISOString() })
    .where('id', '=', id)
    .where('state', '=', state)
    .where('wave', '=', wave)
    .execute()
}

/** Rollouts that may still do something. */
export async function openRollouts(db: Db): Promise<readonly Rollout[]> {
  const rows = await db
    .selectFrom('rollouts')
    .selectAll()
    .where('state', 'in', [...OPEN_STATES])
    .orderBy('created_at')
    .execute()
  return rows.map(rolloutOf)
}

/** Every rollout of this model name, newest first. */
export async function rolloutsOf(db: Db, modelName: string): Promise<readonly Rollout[]> {
  const rows = await db
    .selectFrom('rollouts')
    .selectAll()
    .where('model_name', '=', modelName)
    .orderBy('created_at', 'desc')
    .execute()
  return rows.map(rolloutOf)
}

/** Of each class the newest, by class. */
export async function newestRollouts(db: Db, modelName: string): Promise<readonly Rollout[]> {
  const oldestFirst = [...(await rolloutsOf(db, modelName))].reverse()
  const newest = new Map(oldestFirst.map((rollout) => [rollout.class, rollout]))
  return [...newest.values()].sort((a, b) => a.class.localeCompare(b.class))
}

export async function findRollout(db: Db, id: string): Promise<Rollout | undefined> {
  const row = await db.selectFrom('rollouts').selectAll().where('id', '=', id).executeTakeFirst()
  return row && rolloutOf(row)
}

export async function setMemberState(
  db: Db,
  { rollout, device }: Pick<RolloutDevice, 'rollout' | 'device'>,
  to: { readonly state: MemberState; readonly error: string | null },
  at: Date,
): Promise<void> {
  await db
    .updateTable('rollout_devices')
    .set({ state: to.state, error: to.error, updated_at: at.toISOString() })
    .where('rollout', '=', rollout)
    .where('device', '=', device)
    .execute()
}

/** The operator resumed past these failures. */
export async function forgive(
  db: Db,
  rollout: string,
  states: readonly MemberState[],
): Promise<void> {
  await db
    .updateTable('rollout_devices')
    .set({ forgiven: 1 })
    .where('rollout', '=', rollout)
    .where('state', 'in', [...states])
    .execute()
}

export async function membersOf(db: Db, rollout: string): Promise<readonly RolloutDevice[]> {
  const rows = await db
    .selectFrom('rollout_devices')
    .selectAll()
    .where('rollout', '=', rollout)
    .orderBy('device')
    .execute()
  return rows.map(memberOf)
}

export async function memberByOrder(db: Db, orderId: string): Promise<RolloutDevice | undefined> {
  const row = await db
    .selectFrom('rollout_devices')
    .selectAll()
    .where('order_id', '=', orderId)
    .executeTakeFirst()
  return row && memberOf(row)
}

/** A device's places in the open rollouts of a model. */
export async function membershipsOf(
  db: Db,
  device: string,
  modelName: string,
): Promise<readonly RolloutDevice[]> {
  const rows = await db
    .selectFrom('rollout_devices')
    .innerJoin('rollouts', 'rollouts.id', 'rollout_devices.rollout')
    .selectAll('rollout_devices')
    .where('rollout_devices.device', '=', device)
    .where('rollouts.model_name', '=', modelName)
    .where('rollouts.state', 'in', [...OPEN_STATES])
    .execute()
  return rows.map(memberOf)
}

/** Devices that were withdrawn and have no order yet: so many of them. */
export async function goingBack(db: Db, most: number): Promise<readonly RolloutDevice[]> {
  const rows = await db
    .selectFrom('rollout_devices')
    .selectAll()
    .where('state', '=', 'reverting')
    .where('order_id', 'is', null)
    .limit(most)
    .execute()
  return rows.map(memberOf)
}

/** The device's place in the rollout of this model that gave it its latest order. */
export async function lastMemberOf(
  db: Db,
  device: string,
  modelName: string,
): Promise<RolloutDevice | undefined> {
  const row = await db
    .selectFrom('rollout_devices')
    .innerJoin('rollouts', 'rollouts.id', 'rollout_devices.rollout')
    .innerJoin('orders', 'orders.id', 'rollout_devices.order_id')
    .selectAll('rollout_devices')
    .where('rollout_devices.device', '=', device)
    .where('rollouts.model_name', '=', modelName)
    .orderBy('orders.seq', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row && memberOf(row)
}

export function rolloutOf(row: Tables['rollouts']): Rollout {
  return {
    id: row.id,
    model: row.model,
    modelName: row.model_name,
    class: row.class,
    selection: row.selection,
    state: rolloutStateSchema.parse(row.state),
    wave: row.wave,
    options: readJson(rolloutOptionsSchema, row.options),
    reason: row.reason,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

export function memberOf(row: Tables['rollout_devices']): RolloutDevice {
  return {
    rollout: row.rollout,
    device: row.device,
    wave: row.wave,
    state: memberStateSchema.parse(row.state),
    variant: row.variant,
    orderId: row.order_id,
    attempt: row.attempt,
    previous: row.previous,
    forgiven: row.forgiven === 1,
    error: row.error,
    updatedAt: row.updated_at,
  }
}
