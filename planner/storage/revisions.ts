import { z } from 'zod'
import type { Digest } from '../../shared/digest.ts'
import { type RolloutOptions, rolloutOptionsSchema } from '../rollout/index.ts'
import { readJson } from './json.ts'
import type { Model } from './models.ts'
import type { Db } from './tables.ts'

/** What is known of a revision beyond its files. */
export interface RevisionFacts {
  readonly note: string | null
  readonly tags: readonly string[]
  /** When its files were pruned; null while they are there. */
  readonly prunedAt: string | null
}

const NONE: RevisionFacts = { note: null, tags: [], prunedAt: null }

/** Of each revision of this name that anything is known of, by id. */
export async function revisionFacts(
  db: Db,
  name: string,
): Promise<(model: string) => RevisionFacts> {
  const ofName = db.selectFrom('models').select('id').where('name', '=', name)
  const notes = await db
    .selectFrom('revision_notes')
    .selectAll()
    .where('model', 'in', ofName)
    .execute()
  const tags = await db.selectFrom('revision_tags').selectAll().where('name', '=', name).execute()
  const pruned = await db
    .selectFrom('pruned_revisions')
    .selectAll()
    .where('model', 'in', ofName)
    .execute()
  return (model) => ({
    ...NONE,
    note: notes.find((row) => row.model === model)?.note ?? null,
    tags: tags.flatMap((row) => (row.model === model ? [row.tag] : [])).sort(),
    prunedAt: pruned.find((row) => row.model === model)?.at ?? null,
  })
}

/** Null: none any more. */
export async function putNote(db: Db, model: string, note: string | null): Promise<void> {
  await db.deleteFrom('revision_notes').where('model', '=', model).execute()
  if (note !== null) await db.insertInto('revision_notes').values({ model, note }).execute()
}

/** The tag leaves whichever revision had it; null: none has it any more. */
export async function putTag(
  db: Db,
  name: string,
  tag: string,
  model: string | null,
): Promise<void> {
  await db.deleteFrom('revision_tags').where('name', '=', name).where('tag', '=', tag).execute()
  if (model !== null) await db.insertInto('revision_tags').values({ name, tag, model }).execute()
}

/** Id of the revision that has the tag. */
export async function taggedRevision(
  db: Db,
  name: string,
  tag: string,
): Promise<string | undefined> {
  const row = await db
    .selectFrom('revision_tags')
    .select('model')
    .where('name', '=', name)
    .where('tag', '=', tag)
    .executeTakeFirst()
  return row?.model
}

/** Files that revisions stand on: their own data, and what was built of them. */
export async function filesOf(
  db: Db,
  models: readonly Pick<Model, 'id' | 'source' | 'calibration' | 'test' | 'reference'>[],
): Promise<ReadonlySet<Digest>> {
  const sources = [...new Set(models.map(({ source }) => source))]
  if (sources.length === 0) return new Set()
  const labels = await db
    .selectFrom('model_labels')
    .selectAll()
    .where(
      'model',
      'in',
      models.map(({ id }) => id),
    )
    .execute()
  const built = await db
    .selectFrom('variants')
    .leftJoin('evaluations', 'evaluations.variant', 'variants.key')
    .select(['variants.digest', 'evaluations.self_test'])
    .where('variants.source', 'in', sources)
    .execute()
  const own = models.flatMap(({ source, calibration, test, reference }) => [
    ...[source, calibration, test],
    ...[reference.whole, reference.slice],
  ])
  const made = built.flatMap(({ digest, self_test }) => [digest, self_test])
  const all = [...own, ...made, ...labels.map((row) => row.labels)]
  return new Set(all.filter((digest) => digest !== null))
}

/** What was built of these sources is as if it had never been built. */
export async function forgetBuilt(db: Db, sources: readonly Digest[]): Promise<void> {
  if (sources.length === 0) return
  const keys = db
    .selectFrom('variants')
    .select('key')
    .where('source', 'in', [...sources])
  await db.deleteFrom('evaluations').where('variant', 'in', keys).execute()
  await db.deleteFrom('tunings').where('variant', 'in', keys).execute()
  await db.deleteFrom('candidates').where('variant', 'in', keys).execute()
  await db
    .deleteFrom('variants')
    .where('source', 'in', [...sources])
    .execute()
}

export async function markPruned(db: Db, model: string, bytes: number, at: Date): Promise<void> {
  const row = { at: at.toISOString(), bytes }
  await db
    .insertInto('pruned_revisions')
    .values({ model, ...row })
    .onConflict((conflict) => conflict.column('model').doUpdateSet(row))
    .execute()
}

/** Every revision of the name and what was planned of them; a later model of the name counts on. */
export async function forgetModel(
  db: Db,
  name: string,
  { ids, lastRevision }: { readonly ids: readonly string[]; readonly lastRevision: number },
  at: Date,
): Promise<void> {
  for (const model of ids) {
    await db.deleteFrom('model_labels').where('model', '=', model).execute()
    await db.deleteFrom('revision_notes').where('model', '=', model).execute()
    await db.deleteFrom('pruned_revisions').where('model', '=', model).execute()
    await db.deleteFrom('candidates').where('model', '=', model).execute()
    await db.deleteFrom('pipelines').where('model', '=', model).execute()
    await db.deleteFrom('accepted_noise').where('model', '=', model).execute()
    await db.deleteFrom('probe_policies').where('model', '=', model).execute()
    await db
      .updateTable('probes')
      .set({ state: 'cancelled', finished_at: at.toISOString() })
      .where('model', '=', model)
      .where('state', '=', 'ordered')
      .execute()
  }
  await db.deleteFrom('revision_tags').where('name', '=', name).execute()
  await db.deleteFrom('queued_rollouts').where('name', '=', name).execute()
  await db.deleteFrom('directed_engines').where('model_name', '=', name).execute()
  await db.deleteFrom('directions').where('model_name', '=', name).execute()
  await db.deleteFrom('models').where('name', '=', name).execute()
  const row = { last_revision: lastRevision, at: at.toISOString() }
  await db
    .insertInto('removed_models')
    .values({ name, ...row })
    .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
    .execute()
}

export async function isPruned(db: Db, model: string): Promise<boolean> {
  const row = await db
    .selectFrom('pruned_revisions')
    .select('model')
    .where('model', '=', model)
    .executeTakeFirst()
  return row !== undefined
}

const askedSchema = z.object({ options: rolloutOptionsSchema, acceptNoise: z.boolean() })

/** A rollout that begins once what is under way has ended. */
export interface QueuedRollout {
  readonly name: string
  readonly model: string
  readonly options: RolloutOptions
  readonly acceptNoise: boolean
  readonly by: string
  readonly at: string
}

/** In place of one that waited before. */
export async function queueRollout(
  db: Db,
  { name, model, options, acceptNoise, by }: Omit<QueuedRollout, 'at'>,
  at: Date,
): Promise<void> {
  await unqueueRollout(db, name)
  const asked = JSON.stringify({ options, acceptNoise })
  await db
    .insertInto('queued_rollouts')
    .values({ name, model, asked, by, at: at.toISOString() })
    .execute()
}

/** True where one waited. */
export async function unqueueRollout(db: Db, name: string): Promise<boolean> {
  const gone = await db.deleteFrom('queued_rollouts').where('name', '=', name).executeTakeFirst()
  return gone.numDeletedRows > 0n
}

export async function queuedRollouts(db: Db): Promise<readonly QueuedRollout[]> {
  const rows = await db.selectFrom('queued_rollouts').selectAll().orderBy('at').execute()
  return rows.map(({ asked, ...row }) => ({ ...row, ...readJson(askedSchema, asked) }))
}
