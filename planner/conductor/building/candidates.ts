import { profileOf } from '../../classes/index.ts'
import {
  devices as deviceRows,
  type Model,
  type Pipeline,
  type PlannedCandidate,
  pipelines,
  variants,
} from '../../storage/index.ts'
import { planVariants, type VariantPlan } from '../../variants/index.ts'
import { commit } from '../context/commit.ts'
import type { ConductorContext } from '../context/context.ts'
import { factsOfClass } from '../devices/class-facts.ts'
import type { CandidateView } from './candidate-view.ts'
import { compilersFor, keyOf } from './keys.ts'
import type { MixedCandidate } from './mixed-precision.ts'

/** Which variants shall exist for this class, now; nothing is stored. */
export async function variantPlanFor(
  context: ConductorContext,
  model: Model,
  classId: string,
): Promise<VariantPlan> {
  const profile = profileOf(context.profiles, classId)
  const { db } = context
  const devices = await deviceRows.representativesOf(db, classId)
  const rooms = await deviceRows.largestRooms(db, classId)
  const target = { ...factsOfClass(classId, devices, profile), ...rooms }
  const { missing } = await compilersFor(context, target.targets)
  return planVariants({
    model: model.facts,
    hasCalibration: model.calibration !== null,
    target,
    maxBytes: model.constraints.maxBytes,
    runtimes: model.constraints.runtimes ?? null,
    missingCompilers: missing,
  })
}

export async function candidateViews(
  context: ConductorContext,
  model: Model,
  classId: string,
): Promise<CandidateView[]> {
  const planned = await variants.candidatesOf(context.db, model.id, classId)
  return Promise.all(
    planned.map(async (plan) => {
      const variant = plan.variant
        ? await variants.findVariant(context.db, plan.variant)
        : undefined
      const evaluation = variant
        ? await variants.findEvaluation(context.db, variant.key, model.reference.whole)
        : undefined
      return { plan, variant, evaluation }
    }),
  )
}

export async function planCandidates(
  context: ConductorContext,
  model: Model,
  pipeline: Pipeline,
): Promise<void> {
  const { kept, dropped } = await variantPlanFor(context, model, pipeline.class)
  const compilers = await compilersFor(
    context,
    kept.map(({ runtime }) => runtime),
  )
  const planned = kept.map((c) => ({ ...c, kept: true, variant: keyOf(model, c, compilers) }))
  const rows: PlannedCandidate[] = [
    ...planned,
    ...dropped.map((c) => ({ ...c, kept: false, variant: null })),
  ]
  await commit(context, 'candidates.planned', async (trx) => {
    await variants.replaceCandidates(trx, model.id, pipeline.class, rows)
    for (const { variant, scheme, runtime, tuning = null } of planned) {
      const { source } = model
      await variants.ensureVariant(trx, { key: variant, source, scheme, runtime, tuning })
    }
    await pipelines.setStage(trx, pipeline, { stage: 'building', waiting: '' }, context.now())
  })
}

/** One candidate more for this round, and why. */
export async function addMixedCandidate(
  context: ConductorContext,
  model: Model,
  pipeline: Pipeline,
  { scheme, runtime, tuning, reason }: MixedCandidate,
): Promise<void> {
  const { source } = model
  const compilers = await compilersFor(context, [runtime])
  const key = keyOf(model, { scheme, runtime, tuning }, compilers)
  await commit(context, 'candidates.planned', async (trx) => {
    const candidate = { scheme, runtime, variant: key, kept: true, reason }
    await variants.addCandidate(trx, model.id, pipeline.class, candidate)
    await variants.ensureVariant(trx, { key, source, scheme, runtime, tuning })
  })
  const what = `${pipeline.class}: ${reason}; builds ${scheme}`
  context.progress.emit({ model: model.name, what, done: 0, total: 0 })
}
