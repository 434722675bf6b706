import { z } from 'zod'
import type { Digest } from '../../shared/digest.ts'
import { type Finding, findingSchema } from '../../shared/findings.ts'
import { wordOr } from '../../shared/open-words.ts'
import { schemeNameSchema } from '../../shared/scheme-name.ts'
import { TARGET_NAMES, type TargetName } from '../targets/index.ts'
import {
  type LayerLoss,
  layerLossSchema,
  type Quality,
  qualitySchema,
  type Tuning,
  tuningSchema,
} from '../variants/index.ts'
import { readJson, readJsonOrNull, readKnown } from './json.ts'
import type { Db, Tables } from './tables.ts'

export const VARIANT_STATES = ['planned', 'building', 'built', 'failed'] as const
export type VariantState = (typeof VARIANT_STATES)[number]

/** Whatever else it may be: what is named by its content can be built once more. */
const stateSchema = wordOr(VARIANT_STATES, 'planned')

export interface Variant {
  /** Content key: source, calibration, scheme, options and quantizer in one digest. */
  readonly key: string
  readonly source: Digest
  readonly scheme: string
  /** Its target. The column is older than the word. */
  readonly runtime: TargetName
  /** Of mixed schemes: which operators stay in float. */
  readonly tuning: Tuning | null
  readonly state: VariantState
  /** Of the built file. */
  readonly digest: Digest | null
  readonly bytes: number | null
  readonly findings: readonly Finding[]
  /** Layers whose codes lose most, worst first; empty where none has any, or an older planner built it. */
  readonly losses: readonly LayerLoss[]
  readonly error: string | null
  readonly buildMs: number | null
}

/** What a variant answers on this host over one test set. */
export interface Evaluation {
  readonly variant: string
  readonly whole: Quality
  readonly slice: Quality
  /** Artifact with inputs and this variant's answers: what a device checks itself with. */
  readonly selfTest: Digest
}

export interface PlannedCandidate {
  readonly scheme: string
  /** Its target. The column is older than the word. */
  readonly runtime: TargetName
  /** Null for a candidate that was dropped before it had a variant. */
  readonly variant: string | null
  readonly kept: boolean
  readonly reason: string
}

type Planned = Pick<Variant, 'key' | 'source' | 'scheme' | 'runtime'> &
  Partial<Pick<Variant, 'tuning'>>

/** Planned unless it is known already: a build is never repeated for the same content. */
export async function ensureVariant(db: Db, { tuning = null, ...variant }: Planned): Promise<void> {
  if (tuning !== null) {
    await db
      .insertInto('tunings')
      .values({ variant: variant.key, tuning: JSON.stringify(tuning) })
      .onConflict((conflict) => conflict.column('variant').doNothing())
      .execute()
  }
  await db
    .insertInto('variants')
    .values({
      ...variant,
      state: 'planned',
      digest: null,
      findings: '[]',
      operators: null,
      error: null,
      build_ms: null,
      built_at: null,
    })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute()
}

export async function setVariantState(
  db: Db,
  key: string,
  state: 'planned' | 'building',
): Promise<void> {
  await db.updateTable('variants').set({ state, error: null }).where('key', '=', key).execute()
}

/** Builds that a killed planner left behind start anew. */
export async function forgetHalfBuilt(db: Db): Promise<void> {
  await db
    .updateTable('variants')
    .set({ state: 'planned' })
    .where('state', '=', 'building')
    .execute()
}

/** Builds of this source that failed are tried again: what kept them from it may be gone. */
export async function retryFailed(db: Db, source: Digest): Promise<void> {
  await db
    .updateTable('variants')
    .set({ state: 'planned', error: null })
    .where('source', '=', source)
    .where('state', '=', 'failed')
    .execute()
}

export async function recordBuilt(
  db: Db,
  key: string,
  built: {
    readonly digest: Digest
    readonly findings: readonly Finding[]
    readonly losses: readonly LayerLoss[]
    readonly operators: unknown
    readonly buildMs: number
  },
  at: Date,
): Promise<void> {
  await db
    .updateTable('variants')
    .set({
      state: 'built',
      digest: built.digest,
      findings: JSON.stringify(built.findings),
      operators: JSON.stringify({ tally: built.operators, losses: built.losses }),
      build_ms: Math.round(built.buildMs),
      built_at: at.toISOString(),
      error: null,
    })
    .where('key', '=', key)
    .execute()
}

export async function recordBuildFailure(db: Db, key: string, error: string): Promise<void> {
  await db.updateTable('variants').set({ state: 'failed', error }).where('key', '=', key).execute()
}

export async function findVariant(db: Db, key: string): Promise<Variant | undefined> {
  return (await variantRows(db).where('key', '=', key).execute()).flatMap(variantOf)[0]
}

export async function variantByDigest(db: Db, digest: Digest): Promise<Variant | undefined> {
  return (await variantRows(db).where('variants.digest', '=', digest).limit(1).execute()).flatMap(
    variantOf,
  )[0]
}

/** Digests of all that was built of a source. */
export async function digestsOf(db: Db, source: Digest): Promise<readonly Digest[]> {
  const rows = await db
    .selectFrom('variants')
    .select('digest')
    .where('source', '=', source)
    .where('digest', 'is not', null)
    .execute()
  return rows.flatMap(({ digest }) => digest ?? [])
}

/** Files that exist of a source, whatever they are for. */
export async function countBuilt(db: Db, source: Digest): Promise<number> {
  const { count } = await db
    .selectFrom('variants')
    .select((q) => q.fn.countAll<number>().as('count'))
    .where('source', '=', source)
    .where('state', '=', 'built')
    .executeTakeFirstOrThrow()
  return Number(count)
}

export async function recordEvaluation(
  db: Db,
  reference: Digest,
  evaluation: Evaluation,
  at: Date,
): Promise<void> {
  const row = {
    whole: JSON.stringify(evaluation.whole),
    slice: JSON.stringify(evaluation.slice),
    self_test: evaluation.selfTest,
    evaluated_at: at.toISOString(),
  }
  await db
    .insertInto('evaluations')
    .values({ variant: evaluation.variant, reference, ...row })
    .onConflict((conflict) => conflict.columns(['variant', 'reference']).doUpdateSet(row))
    .execute()
}

export async function findEvaluation(
  db: Db,
  variant: string,
  reference: Digest,
): Promise<Evaluation | undefined> {
  const row = await db
    .selectFrom('evaluations')
    .selectAll()
    .where('variant', '=', variant)
    .where('reference', '=', reference)
    .executeTakeFirst()
  return (
    row && {
      variant,
      whole: readJson(qualitySchema, row.whole),
      slice: readJson(qualitySchema, row.slice),
      selfTest: row.self_test,
    }
  )
}

/** One more, or one that was dropped at first, that what was measured so far asks for. */
export async function addCandidate(
  db: Db,
  model: string,
  classId: string,
  candidate: PlannedCandidate,
): Promise<void> {
  const row = rowOf(model, classId, candidate)
  await db
    .insertInto('candidates')
    .values(row)
    .onConflict((conflict) =>
      conflict.columns(['model', 'class', 'scheme', 'runtime']).doUpdateSet(row),
    )
    .execute()
}

/** Replaces what was planned for this model and class. */
export async function replaceCandidates(
  db: Db,
  model: string,
  classId: string,
  candidates: readonly PlannedCandidate[],
): Promise<void> {
  await db
    .deleteFrom('candidates')
    .where('model', '=', model)
    .where('class', '=', classId)
    .execute()
  if (candidates.length === 0) return
  await db
    .insertInto('candidates')
    .values(candidates.map((candidate) => rowOf(model, classId, candidate)))
    .execute()
}

function rowOf(model: string, classId: string, candidate: PlannedCandidate): Tables['candidates'] {
  const { scheme, runtime, variant, kept, reason } = candidate
  return { model, class: classId, scheme, runtime, variant, kept: Number(kept), reason }
}

export async function candidatesOf(
  db: Db,
  model: string,
  classId: string,
): Promise<readonly PlannedCandidate[]> {
  const rows = await db
    .selectFrom('candidates')
    .selectAll()
    .where('model', '=', model)
    .where('class', '=', classId)
    .execute()
  return rows.flatMap((row) => {
    const target = readKnown(targetSchema, row)
    if (!target) return []
    return [{ ...target, variant: row.variant, kept: row.kept === 1, reason: row.reason }]
  })
}

function variantRows(db: Db) {
  return db
    .selectFrom('variants')
    .leftJoin('artifacts', 'artifacts.digest', 'variants.digest')
    .leftJoin('tunings', 'tunings.variant', 'variants.key')
    .selectAll('variants')
    .select(['artifacts.bytes', 'tunings.tuning'])
}

type VariantRow = Tables['variants'] & {
  readonly bytes: number | null
  readonly tuning: string | null
}

/** None for one of a runtime, scheme or tuning that this planner does not know. */
function variantOf(row: VariantRow): Variant[] {
  const known = readKnown(targetSchema, row)
  const tuning = row.tuning === null ? null : readKnown(tuningSchema, JSON.parse(row.tuning))
  if (!known || tuning === undefined) return []
  return [
    {
      ...known,
      key: row.key,
      source: row.source,
      tuning,
      state: stateSchema.parse(row.state),
      digest: row.digest,
      bytes: row.bytes,
      findings: readJson(findingsSchema, row.findings),
      losses: lossesIn(row.operators),
      error: row.error,
      buildMs: row.build_ms,
    },
  ]
}

/** Planners of old kept what became of the operators alone. */
function lossesIn(operators: string | null): readonly LayerLoss[] {
  return readJsonOrNull(operatorsSchema, operators)?.losses ?? []
}

const operatorsSchema = z.object({ losses: z.array(layerLossSchema).default([]) }).nullable()
const findingsSchema = z.array(findingSchema)
const targetSchema = z.object({ scheme: schemeNameSchema, runtime: z.enum(TARGET_NAMES) })
