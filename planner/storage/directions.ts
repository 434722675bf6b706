import type { Digest } from '../../shared/digest.ts'
import type { DeviceId } from '../../shared/ids.ts'
import type { Birth } from '../../shared/messages/index.ts'
import { type DirectedEngine, directedEngineSchema } from '../../shared/trust/index.ts'
import type { Born } from './born.ts'
import { rowsInto } from './few-texts.ts'
import { readJsonOrNull } from './json.ts'
import type { Db } from './tables.ts'

/** What a device shall run for one model. */
export interface StoredDirection {
  readonly model: string
  readonly variant: Digest
  readonly class: string
  readonly counter: number
  /** In what of its own; null: what takes such files. */
  readonly engine: DirectedEngine | null
}

export async function directionsOf(db: Db, device: DeviceId): Promise<readonly StoredDirection[]> {
  const rows = await db
    .selectFrom('directions')
    .innerJoin('counters', (join) =>
      join
        .onRef('counters.device', '=', 'directions.device')
        .onRef('counters.model_name', '=', 'directions.model_name'),
    )
    .leftJoin('directed_engines', (join) =>
      join
        .onRef('directed_engines.device', '=', 'directions.device')
        .onRef('directed_engines.model_name', '=', 'directions.model_name'),
    )
    .select([
      'directions.model_name',
      'directions.variant',
      'directions.class',
      'counters.counter',
      'directed_engines.engine',
    ])
    .where('directions.device', '=', device)
    .orderBy('directions.model_name')
    .execute()
  return rows.map((row) => ({
    model: row.model_name,
    variant: row.variant,
    class: row.class,
    counter: row.counter,
    engine: readJsonOrNull(directedEngineSchema, row.engine),
  }))
}

/** Variants of a model that some device was told to run, as one of this class where it is given. */
export async function directedVariants(
  db: Db,
  model: string,
  classId?: string,
): Promise<ReadonlySet<Digest>> {
  const rows = await db
    .selectFrom('directions')
    .select('variant')
    .distinct()
    .where('model_name', '=', model)
    .$if(classId !== undefined, (q) => q.where('class', '=', classId ?? ''))
    .execute()
  return new Set(rows.map(({ variant }) => variant))
}

/** In what of its own a device of the class was told to run the variant; null where none was. */
export async function engineGiven(
  db: Db,
  { model, class: classId, variant }: Pick<StoredDirection, 'model' | 'class' | 'variant'>,
): Promise<DirectedEngine | null> {
  const row = await db
    .selectFrom('directions')
    .innerJoin('directed_engines', (join) =>
      join
        .onRef('directed_engines.device', '=', 'directions.device')
        .onRef('directed_engines.model_name', '=', 'directions.model_name'),
    )
    .select('directed_engines.engine')
    .where('directions.model_name', '=', model)
    .where('directions.class', '=', classId)
    .where('directions.variant', '=', variant)
    .orderBy('directions.device')
    .limit(1)
    .executeTakeFirst()
  return readJsonOrNull(directedEngineSchema, row?.engine ?? null)
}

const putRoots = rowsInto('device_roots', ['device', 'director', 'image'], {
  key: ['device'],
  changes: ['director', 'image'],
})

export async function recordRootsOf(db: Db, births: readonly Born[]): Promise<void> {
  await putRoots(
    db,
    births.map(({ device, birth: { roots } }) => ({ device, ...roots })),
  )
}

export async function rootsOf(db: Db, device: DeviceId): Promise<Birth['roots']> {
  const row = await db
    .selectFrom('device_roots')
    .select(['director', 'image'])
    .where('device', '=', device)
    .executeTakeFirst()
  return row ?? { director: 0, image: 0 }
}

/** 0 for a rollout that was never drafted. */
export async function releaseCounterOf(db: Db, rollout: string): Promise<number> {
  const row = await db
    .selectFrom('releases')
    .select('counter')
    .where('rollout', '=', rollout)
    .executeTakeFirst()
  return row?.counter ?? 0
}

/** Release counters by rollout, for those that were drafted. */
export async function releaseCounters(db: Db): Promise<ReadonlyMap<string, number>> {
  const rows = await db.selectFrom('releases').selectAll().execute()
  return new Map(rows.map(({ rollout, counter }) => [rollout, counter]))
}

/** Open rollouts are released anew. */
export async function forgetReleaseCounters(db: Db): Promise<void> {
  await db.deleteFrom('releases').execute()
}

export async function putReleaseCounter(db: Db, rollout: string, counter: number): Promise<void> {
  await db
    .insertInto('releases')
    .values({ rollout, counter })
    .onConflict((conflict) => conflict.column('rollout').doUpdateSet({ counter }))
    .execute()
}
