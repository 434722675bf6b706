import {
  devices as deviceRows,
  type Model,
  type Pipeline,
  pipelines,
  probes as probeRows,
  selections,
} from '../storage/index.ts'
import { openOrderCounts } from '../storage/orders.ts'
import { buildVariant, evaluateVariant } from './builds.ts'
import { addMixture, candidateViews, planCandidates } from './candidates.ts'
import { type Engine, isSettlingIn } from './engine.ts'
import { type PipelineStep, type PipelineView, planPipeline } from './pipeline-plan.ts'
import { giveUpProbe, orderProbe } from './probe-orders.ts'
import { proberOf } from './probers.ts'
import { select } from './select.ts'

/** Steps that change what the next steps are: the plan is made again after them. */
const SETTLING: ReadonlySet<PipelineStep['kind']> = new Set([
  'plan-candidates',
  'add-mixture',
  'give-up',
  'select',
])
/** More rounds than any pipeline needs: a plan that never settles is a bug, not a reason to spin. */
const MOST_ROUNDS = 20

/** Moves one model on for one class, as far as it goes without waiting. */
export async function advancePipeline(
  engine: Engine,
  model: Model,
  classId: string,
): Promise<void> {
  if (await isSettled(engine, model, classId)) return
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const view = await viewOf(engine, model, classId)
    const steps = planPipeline(view)
    for (const step of steps) await perform(engine, model, view.pipeline, step)
    if (!steps.some(({ kind }) => SETTLING.has(kind))) return
  }
  engine.log.error({ model: model.name, class: classId }, 'a pipeline does not settle')
}

/** Most are, at most looks: told without reading devices and probes. */
async function isSettled({ db, now }: Engine, model: Model, classId: string): Promise<boolean> {
  const { round } = await pipelines.ensurePipeline(db, model.id, classId, now())
  return (await selections.currentSelection(db, model.id, classId))?.round === round
}

async function viewOf(engine: Engine, model: Model, classId: string): Promise<PipelineView> {
  const { db } = engine
  const pipeline = await pipelines.ensurePipeline(db, model.id, classId, engine.now())
  const only = { class: classId, round: pipeline.round }
  const devices = await deviceRows.devicesOfClass(db, classId)
  const open = await probeRows.openProbes(db)
  const counts = await openOrderCounts(db)
  const selection = await selections.currentSelection(db, model.id, classId)
  return {
    pipeline,
    candidates:
      pipeline.stage === 'candidates' ? null : await candidateViews(engine, model, classId),
    maxAccuracyDrop: model.constraints.maxAccuracyDrop,
    probes: await probeRows.probesOf(db, model.id, only),
    devices: devices.map((device) => proberOf(device, counts.get(device.id) ?? 0)),
    measuring: new Set(open.map(({ device }) => device)),
    probesAtOnce: engine.settings.probesAtOnce,
    dataBytes: (await engine.artifacts.refOf(model.reference.slice)).bytes,
    hasSelection: selection?.round === pipeline.round,
    settlingIn: isSettlingIn(engine),
    now: engine.now(),
  }
}

async function perform(
  engine: Engine,
  model: Model,
  pipeline: Pipeline,
  step: PipelineStep,
): Promise<void> {
  switch (step.kind) {
    case 'plan-candidates':
      return planCandidates(engine, model, pipeline)
    case 'add-mixture':
      return addMixture(engine, model, pipeline, step.mixture)
    case 'build':
      return engine.jobs.add(`build ${step.variant.key}`, () =>
        buildVariant(engine, model, step.variant.key),
      )
    case 'evaluate':
      return engine.jobs.add(`evaluate ${step.variant.key} ${model.reference.whole}`, () =>
        evaluateVariant(engine, model, step.variant.key),
      )
    case 'probe':
      return orderProbe(engine, model, pipeline, step)
    case 'give-up':
      return giveUpProbe(engine, step.probe)
    case 'select':
      return select(engine, model, pipeline)
    case 'wait':
      return note(engine, model, pipeline, step)
  }
}

async function note(
  engine: Engine,
  model: Model,
  pipeline: Pipeline,
  { stage, reason, stuck }: Extract<PipelineStep, { kind: 'wait' }>,
): Promise<void> {
  if (pipeline.stage === stage && pipeline.waiting === reason && pipeline.stuck === stuck) return
  await pipelines.setStage(engine.db, pipeline, { stage, waiting: reason, stuck }, engine.now())
  engine.progress.emit({
    model: model.name,
    what: `${pipeline.class}: ${reason}`,
    done: 0,
    total: 0,
  })
}
