import { z } from 'zod'
import type { Digest } from '../../shared/digest.ts'
import { type Finding, findingSchema } from '../../shared/findings.ts'
import { newId } from '../../shared/ids.ts'
import { isOneOf, wordOr } from '../../shared/open-words.ts'
import { type RolloutOptions, rolloutOptionsSchema } from '../rollout/index.ts'
import {
  type Constraints,
  constraintsSchema,
  OBJECTIVES,
  type ObjectiveName,
} from '../selection/index.ts'
import {
  type ModelFacts,
  modelFactsSchema,
  type Reference,
  referenceSchema,
} from '../variants/index.ts'
import { readJson, readJsonOrNull } from './json.ts'
import type { Db, Tables } from './tables.ts'

/** How far the operator wants a model to go by itself: `held` rolls out nothing new until resumed. */
export const INTENTS = ['registered', 'plan', 'rollout', 'held'] as const
export type Intent = (typeof INTENTS)[number]

const findingsSchema = z.array(findingSchema)
const objectiveSchema = wordOr(OBJECTIVES, 'latency')
const intentSchema = wordOr(INTENTS, 'held')

export interface Model {
  readonly id: string
  readonly name: string
  readonly revision: number
  readonly source: Digest
  readonly calibration: Digest | null
  readonly calibrationSamples: number
  /** Null: the calibration samples serve, without labels. */
  readonly test: Digest | null
  readonly testSamples: number
  readonly labelled: boolean
  readonly objective: ObjectiveName
  readonly constraints: Constraints
  readonly facts: ModelFacts
  readonly findings: readonly Finding[]
  readonly intent: Intent
  readonly rolloutOptions: RolloutOptions | null
  /** What the float model answered to the test data. */
  readonly reference: Reference
  readonly registeredAt: string
}

export type NewModel = Omit<Model, 'id' | 'revision' | 'intent' | 'rolloutOptions' | 'registeredAt'>

/** The next revision of this name. */
export async function addModel(db: Db, model: NewModel, at: Date): Promise<Model> {
  const id = newId()
  const before = await db
    .selectFrom('models')
    .select((q) => q.fn.max('revision').as('revision'))
    .where('name', '=', model.name)
    .executeTakeFirst()
  const removed = await db
    .selectFrom('removed_models')
    .select('last_revision')
    .where('name', '=', model.name)
    .executeTakeFirst()
  const revision = Math.max(before?.revision ?? 0, removed?.last_revision ?? 0) + 1
  await db
    .insertInto('models')
    .values({
      id,
      name: model.name,
      revision,
      source: model.source,
      calibration: model.calibration,
      calibration_samples: model.calibrationSamples,
      test: model.test,
      test_samples: model.testSamples,
      labelled: Number(model.labelled),
      objective: model.objective,
      constraints: JSON.stringify(model.constraints),
      facts: JSON.stringify(model.facts),
      findings: JSON.stringify(model.findings),
      intent: 'registered',
      rollout_options: null,
      reference: JSON.stringify(model.reference),
      registered_at: at.toISOString(),
    })
    .execute()
  return {
    ...model,
    id,
    revision,
    intent: 'registered',
    rolloutOptions: null,
    registeredAt: at.toISOString(),
  }
}

/** Newest revision of each name, by name. */
export async function listModels(db: Db): Promise<readonly Model[]> {
  const rows = await db
    .selectFrom('models')
    .selectAll()
    .orderBy('name')
    .orderBy('revision')
    .execute()
  return [...new Map(rows.map((row) => [row.name, modelOf(row)])).values()]
}

/**
 * Of each name the revision that is planned or rolled out: the newest the operator asked anything of. One
 * that is only registered does not stop the one before it.
 */
export async function drivenModels(db: Db): Promise<readonly Model[]> {
  const rows = await db
    .selectFrom('models')
    .selectAll()
    .where('intent', '!=', 'registered')
    .orderBy('name')
    .orderBy('revision')
    .execute()
  return [...new Map(rows.map((row) => [row.name, modelOf(row)])).values()]
}

/** The same of one name; undefined where nobody asked anything of any. */
export async function drivenModel(db: Db, name: string): Promise<Model | undefined> {
  const row = await db
    .selectFrom('models')
    .selectAll()
    .where('name', '=', name)
    .where('intent', '!=', 'registered')
    .orderBy('revision', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row && modelOf(row)
}

/** Newest revision of this name. */
export async function findModel(db: Db, name: string): Promise<Model | undefined> {
  const row = await db
    .selectFrom('models')
    .selectAll()
    .where('name', '=', name)
    .orderBy('revision', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row && modelOf(row)
}

/** Every revision of this name, newest first. */
export async function revisionsOf(db: Db, name: string): Promise<readonly Model[]> {
  const rows = await db
    .selectFrom('models')
    .selectAll()
    .where('name', '=', name)
    .orderBy('revision', 'desc')
    .execute()
  return rows.map(modelOf)
}

/** Newest revision of this name with that source; undefined where there is none. */
export async function revisionOf(db: Db, name: string, source: Digest): Promise<Model | undefined> {
  const row = await db
    .selectFrom('models')
    .selectAll()
    .where('name', '=', name)
    .where('source', '=', source)
    .orderBy('revision', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row && modelOf(row)
}

/** Newer revisions of the same name are as if nobody had asked anything of them. */
export async function holdNewer(
  db: Db,
  { name, revision }: Pick<Model, 'name' | 'revision'>,
): Promise<void> {
  await db
    .updateTable('models')
    .set({ intent: 'registered' })
    .where('name', '=', name)
    .where('revision', '>', revision)
    .execute()
}

export async function modelById(db: Db, id: string): Promise<Model | undefined> {
  const row = await db.selectFrom('models').selectAll().where('id', '=', id).executeTakeFirst()
  return row && modelOf(row)
}

export async function setIntent(
  db: Db,
  id: string,
  intent: Intent,
  rolloutOptions?: RolloutOptions,
): Promise<void> {
  const options =
    rolloutOptions === undefined ? {} : { rollout_options: JSON.stringify(rolloutOptions) }
  await db
    .updateTable('models')
    .set({ intent, ...options })
    .where('id', '=', id)
    .execute()
}

function modelOf(row: Tables['models']): Model {
  return {
    id: row.id,
    name: row.name,
    revision: row.revision,
    source: row.source,
    calibration: row.calibration,
    calibrationSamples: row.calibration_samples,
    test: row.test,
    testSamples: row.test_samples,
    labelled: row.labelled === 1,
    objective: objectiveSchema.parse(row.objective),
    constraints: readJson(constraintsSchema, row.constraints),
    facts: readJson(modelFactsSchema, row.facts),
    findings: readJson(findingsSchema, row.findings),
    // What is wanted of it, or by which measure, is not understood: nothing new is rolled out.
    intent: isOneOf(OBJECTIVES, row.objective) ? intentSchema.parse(row.intent) : 'held',
    rolloutOptions: readJsonOrNull(rolloutOptionsSchema, row.rollout_options),
    reference: readJson(referenceSchema, row.reference),
    registeredAt: row.registered_at,
  }
}
