import type { StoredSelection } from './selections.ts'
import type { Db } from './tables.ts'

/** A build of a candidate, as its trace tells it. */
export interface TracedBuild {
  readonly variant: string
  readonly scheme: string
  readonly target: string
  readonly state: string
  readonly error: string | null
  readonly buildMs: number | null
  readonly builtAt: string | null
}

/** Builds of a class's candidates, older ones that were taken again included. */
export async function tracedBuilds(
  db: Db,
  model: string,
  classId: string,
): Promise<readonly TracedBuild[]> {
  const rows = await db
    .selectFrom('candidates')
    .innerJoin('variants', 'variants.key', 'candidates.variant')
    .select([
      'variants.key',
      'variants.scheme',
      'variants.runtime',
      'variants.state',
      'variants.error',
      'variants.build_ms',
      'variants.built_at',
    ])
    .where('candidates.model', '=', model)
    .where('candidates.class', '=', classId)
    .orderBy('variants.built_at')
    .execute()
  return rows.map((row) => ({
    variant: row.key,
    scheme: row.scheme,
    target: row.runtime,
    state: row.state,
    error: row.error,
    buildMs: row.build_ms,
    builtAt: row.built_at,
  }))
}

/** When the planning began that ended in this selection: with the model, or where the one before it ended. */
export async function plannedSince(
  db: Db,
  { model, class: classId, seq }: Pick<StoredSelection, 'model' | 'class' | 'seq'>,
): Promise<string | undefined> {
  const before = await db
    .selectFrom('selections')
    .select('created_at as at')
    .where('model', '=', model)
    .where('class', '=', classId)
    .where('seq', '<', seq)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (before) return before.at
  const registered = await db
    .selectFrom('models')
    .select('registered_at as at')
    .where('id', '=', model)
    .executeTakeFirst()
  return registered?.at
}

export interface TracedMember {
  readonly device: string
  readonly wave: number
  readonly state: string
  readonly error: string | null
  readonly orderedAt: string | null
  readonly movedAt: string
}

/** So many devices of a rollout, those that failed first. */
export async function tracedMembers(
  db: Db,
  rollout: string,
  most: number,
): Promise<readonly TracedMember[]> {
  const rows = await db
    .selectFrom('rollout_devices')
    .leftJoin('orders', 'orders.id', 'rollout_devices.order_id')
    .select([
      'rollout_devices.device',
      'rollout_devices.wave',
      'rollout_devices.state',
      'rollout_devices.error',
      'rollout_devices.updated_at',
      'orders.created_at',
    ])
    .where('rollout_devices.rollout', '=', rollout)
    .orderBy((q) => q.case().when('rollout_devices.error', 'is', null).then(1).else(0).end())
    .orderBy('rollout_devices.device')
    .limit(most)
    .execute()
  return rows.map((row) => ({
    device: row.device,
    wave: row.wave,
    state: row.state,
    error: row.error,
    orderedAt: row.created_at,
    movedAt: row.updated_at,
  }))
}
