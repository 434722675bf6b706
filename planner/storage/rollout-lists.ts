import type { RolloutDevice } from './rollouts.ts'
import { memberOf, type Rollout, rolloutOf } from './rollouts.ts'
import type { Db } from './tables.ts'

export interface RolloutQuery {
  readonly model?: string | undefined
  readonly class?: string | undefined
  readonly state?: string | undefined
  /** When one began, and its id: older than that. */
  readonly before?: readonly [string, string] | undefined
  readonly most: number
}

/** Newest first. */
export async function rolloutPage(
  db: Db,
  { model, class: classId, state, before, most }: RolloutQuery,
): Promise<readonly Rollout[]> {
  let query = db.selectFrom('rollouts').selectAll()
  if (model !== undefined) query = query.where('model_name', '=', model)
  if (classId !== undefined) query = query.where('class', '=', classId)
  if (state !== undefined) query = query.where('state', '=', state)
  if (before !== undefined) {
    const [at, id] = before
    query = query.where((q) =>
      q.or([q('created_at', '<', at), q.and([q('created_at', '=', at), q('id', '<', id)])]),
    )
  }
  const rows = await query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(most).execute()
  return rows.map(rolloutOf)
}

/** Members by wave, counted from 1, and state. */
export async function memberCounts(
  db: Db,
  rollout: string,
): Promise<{ wave: number; state: string; devices: number }[]> {
  const rows = await db
    .selectFrom('rollout_devices')
    .select((q) => ['wave', 'state', q.fn.countAll<number>().as('devices')])
    .where('rollout', '=', rollout)
    .groupBy(['wave', 'state'])
    .orderBy('wave')
    .orderBy('state')
    .execute()
  return rows.map(({ wave, state, devices }) => ({
    wave: Number(wave) + 1,
    state,
    devices: Number(devices),
  }))
}

/** Devices of a large fleet may each say it in other words. */
const MOST_CAUSES = 10_000

/** Why devices failed, in their words, most first, each with one of them. */
export async function failureCauses(
  db: Db,
  rollout: string,
): Promise<{ error: string; devices: number; example: string }[]> {
  const rows = await db
    .selectFrom('rollout_devices')
    .select((q) => [
      'error',
      q.fn.countAll<number>().as('devices'),
      q.fn.min('device').as('example'),
    ])
    .where('rollout', '=', rollout)
    .where('error', 'is not', null)
    // There it says for whom the device waits.
    .where('state', '!=', 'installed')
    .groupBy('error')
    .orderBy('devices', 'desc')
    .orderBy('error')
    .limit(MOST_CAUSES)
    .execute()
  return rows.map(({ error, devices, example }) => ({
    error: error ?? '',
    devices: Number(devices),
    example,
  }))
}

export interface MemberQuery {
  readonly state?: string | undefined
  /** Counted from 0. */
  readonly wave?: number | undefined
  readonly after: string
  readonly most: number
}

/** By name, from behind `after` on. */
export async function memberPage(
  db: Db,
  rollout: string,
  { after, most, ...only }: MemberQuery,
): Promise<readonly RolloutDevice[]> {
  const rows = await members(db, rollout, only)
    .selectAll()
    .where('device', '>', after)
    .orderBy('device')
    .limit(most)
    .execute()
  return rows.map(memberOf)
}

export async function countMembers(
  db: Db,
  rollout: string,
  only: Pick<MemberQuery, 'state' | 'wave'>,
): Promise<number> {
  const row = await members(db, rollout, only)
    .select((q) => q.fn.countAll<number>().as('devices'))
    .executeTakeFirst()
  return Number(row?.devices ?? 0)
}

function members(db: Db, rollout: string, { state, wave }: Pick<MemberQuery, 'state' | 'wave'>) {
  let query = db.selectFrom('rollout_devices').where('rollout', '=', rollout)
  if (state !== undefined) query = query.where('state', '=', state)
  if (wave !== undefined) query = query.where('wave', '=', wave)
  return query
}
