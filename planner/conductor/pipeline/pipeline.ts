import {
  acceptsNoise,
  type Model,
  orders,
  type Pipeline,
  pipelines,
  probePolicyOf,
  probes as probeRows,
  selections,
} from '../../storage/index.ts'
import { addMixedCandidate, candidateViews, planCandidates } from '../building/candidates.ts'
import { type ConductorContext, isSettlingIn } from '../context/context.ts'
import { sampleOfClass } from '../devices/class-sample.ts'
import { proberOf } from '../devices/probers.ts'
import { type PipelineStep, type PipelineView, planPipeline } from './pipeline-plan.ts'
import { giveUpProbe, orderProbe } from './probe-orders.ts'
import { rulesOf, select } from './select.ts'

/** Steps that change what the next steps are: the plan is made again after them. */
const SETTLING: ReadonlySet<PipelineStep['kind']> = new Set([
  'plan-candidates',
  'add-mixed',
  'give-up',
  'select',
])
/** More rounds than any pipeline needs: a plan that never settles is a bug, not a reason to spin. */
const MOST_ROUNDS = 20

/** Moves one model on for one class, as far as it goes without waiting. */
export async function advancePipeline(
  context: ConductorContext,
  model: Model,
  classId: string,
): Promise<void> {
  if (await isSettled(context, model, classId)) return
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const view = await viewOf(context, model, classId)
    const steps = planPipeline(view)
    for (const step of steps) await perform(context, model, view.pipeline, step)
    if (!steps.some(({ kind }) => SETTLING.has(kind))) return
  }
  context.log.error({ model: model.name, class: classId }, 'a pipeline does not settle')
}

/** Most are, at most looks: told without reading devices and probes. */
async function isSettled(
  { db, now }: ConductorContext,
  model: Model,
  classId: string,
): Promise<boolean> {
  const { round } = await pipelines.ensurePipeline(db, model.id, classId, now())
  return (await selections.currentSelection(db, model.id, classId))?.round === round
}

async function viewOf(
  context: ConductorContext,
  model: Model,
  classId: string,
): Promise<PipelineView> {
  const { db } = context
  const pipeline = await pipelines.ensurePipeline(db, model.id, classId, context.now())
  const only = { class: classId, round: pipeline.round }
  const probes = await probeRows.probesOf(db, model.id, only)
  const devices = await sampleOfClass(db, classId, new Set(probes.map(({ device }) => device)))
  const ids = devices.map(({ id }) => id)
  const counts = await orders.openOrderCounts(db, ids)
  const selection = await selections.currentSelection(db, model.id, classId)
  const policy = await probePolicyOf(db, model.id)
  const candidates =
    pipeline.stage === 'candidates' ? null : await candidateViews(context, model, classId)
  return {
    pipeline,
    candidates,
    prior: candidates ? await context.costs.prior(context, model, classId, candidates) : undefined,
    rules: await rulesOf(context, model, classId),
    acceptNoise: await acceptsNoise(db, model.id),
    soak: policy.soakMs !== null,
    // What is asked for beside latency is measured of one at a time.
    fields: policy.threads !== 'auto' && policy.rateHz === null && !policy.energy,
    probes,
    devices: devices.map((device) => proberOf(device, counts.get(device.id) ?? 0)),
    measuring: await probeRows.measuringDevices(db),
    probesAtOnce: context.settings.probesAtOnce,
    dataBytes: (await context.artifacts.refOf(model.reference.slice)).bytes,
    hasSelection: selection?.round === pipeline.round,
    settlingIn: isSettlingIn(context),
    now: context.now(),
  }
}

async function perform(
  context: ConductorContext,
  model: Model,
  pipeline: Pipeline,
  step: PipelineStep,
): Promise<void> {
  switch (step.kind) {
    case 'plan-candidates':
      return planCandidates(context, model, pipeline)
    case 'add-mixed':
      return addMixedCandidate(context, model, pipeline, step.mixed)
    case 'build':
      return context.jobs.add({ kind: 'build', model, variant: step.variant.key })
    case 'evaluate':
      return context.jobs.add({ kind: 'evaluate', model, variant: step.variant.key })
    case 'probe':
      return orderProbe(context, model, pipeline, step)
    case 'give-up':
      return giveUpProbe(context, step.probe)
    case 'select':
      return select(context, model, pipeline, step.spared)
    case 'wait':
      return note(context, model, pipeline, step)
  }
}

async function note(
  context: ConductorContext,
  model: Model,
  pipeline: Pipeline,
  { stage, reason, stuck }: Extract<PipelineStep, { kind: 'wait' }>,
): Promise<void> {
  if (pipeline.stage === stage && pipeline.waiting === reason && pipeline.stuck === stuck) return
  await pipelines.setStage(context.db, pipeline, { stage, waiting: reason, stuck }, context.now())
  context.progress.emit({
    model: model.name,
    what: `${pipeline.class}: ${reason}`,
    done: 0,
    total: 0,
  })
}
