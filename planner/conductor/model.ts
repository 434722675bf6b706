import { devices, type Model, pipelines, rollouts, selections } from '../storage/index.ts'
import type { Engine } from './engine.ts'
import { advancePipeline } from './pipeline.ts'
import { startRollout } from './rollout-events.ts'

/** Every class that has devices has this model planned for it; where the operator asked for it, rolled out too. */
export async function advanceModel(engine: Engine, model: Model): Promise<void> {
  for (const classId of await devices.classesInUse(engine.db)) {
    await advancePipeline(engine, model, classId)
    await advanceDelivery(engine, model, classId)
  }
}

/** selected → rolling → done. A selection is rolled out by itself once; after an abort the operator decides. */
async function advanceDelivery(engine: Engine, model: Model, classId: string): Promise<void> {
  const { db } = engine
  const chosen = await selections.currentSelection(db, model.id, classId)
  if (!chosen || chosen.selection.winner === null) return
  const own = (await rollouts.rolloutsOf(db, model.name)).find(
    (rollout) => rollout.class === classId && rollout.selection === chosen.seq,
  )
  const pipeline = await pipelines.ensurePipeline(db, model.id, classId, engine.now())
  if (!own) {
    if (model.intent !== 'rollout' || !model.rolloutOptions) return
    await startRollout(engine, model, chosen, model.rolloutOptions)
    await pipelines.setStage(db, pipeline, { stage: 'rolling', waiting: '' }, engine.now())
    return
  }
  const stage = own.state === 'done' ? 'done' : own.state === 'aborted' ? 'selected' : 'rolling'
  const waiting = stage === 'rolling' ? own.reason : chosen.selection.why
  if (pipeline.stage === stage && pipeline.waiting === waiting) return
  await pipelines.setStage(db, pipeline, { stage, waiting }, engine.now())
}
