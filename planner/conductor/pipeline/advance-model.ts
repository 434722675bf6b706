import { type Model, pipelines, rollouts, selections } from '../../storage/index.ts'
import type { ConductorContext } from '../context/context.ts'
import { classesMeant } from '../rollouts/meant.ts'
import { startRollout } from '../rollouts/rollout-events.ts'
import { advancePipeline } from './pipeline.ts'

/**
 * Every class that has devices has this model planned for it; where the operator asked for it, rolled out too. A rollout
 * for some devices leaves classes alone that have none of them.
 */
export async function advanceModel(context: ConductorContext, model: Model): Promise<void> {
  const where = model.intent === 'plan' ? undefined : model.rolloutOptions?.where
  for (const classId of await classesMeant(context.db, where)) {
    await advancePipeline(context, model, classId)
    await advanceDelivery(context, model, classId)
  }
}

/** selected → rolling → done. A selection is rolled out by itself once; after an abort the operator decides. */
async function advanceDelivery(
  context: ConductorContext,
  model: Model,
  classId: string,
): Promise<void> {
  const { db } = context
  const chosen = await selections.currentSelection(db, model.id, classId)
  if (!chosen || chosen.selection.winner === null) return
  const own = (await rollouts.rolloutsOf(db, model.name)).find(
    (rollout) => rollout.class === classId && rollout.selection === chosen.seq,
  )
  const pipeline = await pipelines.ensurePipeline(db, model.id, classId, context.now())
  if (!own) {
    if (model.intent !== 'rollout' || !model.rolloutOptions) return
    await startRollout(context, model, chosen, model.rolloutOptions)
    await pipelines.setStage(db, pipeline, { stage: 'rolling', waiting: '' }, context.now())
    return
  }
  const stage = own.state === 'done' ? 'done' : own.state === 'aborted' ? 'selected' : 'rolling'
  const waiting = stage === 'rolling' ? own.reason : chosen.selection.why
  if (pipeline.stage === stage && pipeline.waiting === waiting) return
  await pipelines.setStage(db, pipeline, { stage, waiting }, context.now())
}
