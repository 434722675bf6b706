import { type OpenWord, openWord } from '../../shared/open-words.ts'
import type { Db, Tables } from './tables.ts'

/** Where one model stands for one class. */
export const STAGES = [
  'candidates',
  'building',
  'probing',
  'selected',
  'no-fit',
  'rolling',
  'done',
] as const
export type Stage = (typeof STAGES)[number]

const stageSchema = openWord(STAGES)

export interface Pipeline {
  readonly model: string
  readonly class: string
  /** Told to people; only `candidates` decides what is done. */
  readonly stage: OpenWord<Stage>
  /** What happens or is waited for, one line; empty when nothing is. */
  readonly waiting: string
  /** Nothing goes on until something outside changes, e.g. a device comes online. */
  readonly stuck: boolean
  /** Measuring campaign: grows when the operator asks to measure again. */
  readonly round: number
  readonly updatedAt: string
}

export async function ensurePipeline(
  db: Db,
  model: string,
  classId: string,
  at: Date,
): Promise<Pipeline> {
  await db
    .insertInto('pipelines')
    .values({
      model,
      class: classId,
      stage: 'candidates',
      waiting: '',
      stuck: 0,
      round: 1,
      updated_at: at.toISOString(),
    })
    .onConflict((conflict) => conflict.columns(['model', 'class']).doNothing())
    .execute()
  const row = await db
    .selectFrom('pipelines')
    .selectAll()
    .where('model', '=', model)
    .where('class', '=', classId)
    .executeTakeFirstOrThrow()
  return pipelineOf(row)
}

export async function pipelinesOf(db: Db, model: string): Promise<readonly Pipeline[]> {
  const rows = await db
    .selectFrom('pipelines')
    .selectAll()
    .where('model', '=', model)
    .orderBy('class')
    .execute()
  return rows.map(pipelineOf)
}

/** Those that something is still to be done for, of these models. */
export async function unsettledPipelines(
  db: Db,
  models: readonly string[],
): Promise<readonly Pipeline[]> {
  if (models.length === 0) return []
  const rows = await db
    .selectFrom('pipelines')
    .selectAll()
    .where('model', 'in', [...models])
    .where('stage', 'in', ['candidates', 'building', 'probing'] satisfies Stage[])
    .execute()
  return rows.map(pipelineOf)
}

/** `<model> <class>` of all there are of these models. */
export async function namesOf(db: Db, models: readonly string[]): Promise<ReadonlySet<string>> {
  if (models.length === 0) return new Set()
  const rows = await db
    .selectFrom('pipelines')
    .select(['model', 'class'])
    .where('model', 'in', [...models])
    .execute()
  return new Set(rows.map((row) => `${row.model} ${row.class}`))
}

export async function setStage(
  db: Db,
  { model, class: classId }: Pick<Pipeline, 'model' | 'class'>,
  to: { readonly stage: Stage; readonly waiting: string; readonly stuck?: boolean },
  at: Date,
): Promise<void> {
  await db
    .updateTable('pipelines')
    .set({
      stage: to.stage,
      waiting: to.waiting,
      stuck: Number(to.stuck ?? false),
      updated_at: at.toISOString(),
    })
    .where('model', '=', model)
    .where('class', '=', classId)
    .execute()
}

/** Candidates, probes and selection anew; what was built stays built. */
export async function startRound(db: Db, model: string, at: Date): Promise<void> {
  await db
    .updateTable('pipelines')
    .set((row) => ({
      stage: 'candidates',
      waiting: '',
      stuck: 0,
      round: row('round', '+', 1),
      updated_at: at.toISOString(),
    }))
    .where('model', '=', model)
    .execute()
}

function pipelineOf(row: Tables['pipelines']): Pipeline {
  return {
    model: row.model,
    class: row.class,
    stage: stageSchema.parse(row.stage),
    waiting: row.waiting,
    stuck: row.stuck === 1,
    round: row.round,
    updatedAt: row.updated_at,
  }
}
