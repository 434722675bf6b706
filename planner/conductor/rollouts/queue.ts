import { audit, type Model, models, pipelines, revisions, rollouts } from '../../storage/index.ts'
import type { ConductorContext } from '../context/context.ts'
import { drive } from './drive.ts'
import { classesMeant } from './meant.ts'

/** Stages in which a class of the revision before waits for nothing more. */
const OVER: ReadonlySet<string> = new Set(['no-fit', 'done', 'selected'])

/**
 * Begins what operators asked to begin after what is under way, once that has ended well. Where it was aborted, what
 * waited is dropped: who asked for it did not know.
 */
export async function advanceQueue(context: ConductorContext): Promise<void> {
  const { db } = context
  for (const { name, model: id, options, acceptNoise, by } of await revisions.queuedRollouts(db)) {
    const model = await models.modelById(db, id)
    const current = await models.drivenModel(db, name)
    const state = current ? await endOf(context, current) : 'ended'
    if (state === 'under-way') continue
    if (model && state === 'ended' && !(await revisions.isPruned(db, id))) {
      await drive(context, model, { options, acceptNoise, action: 'rollout.start', actor: by })
      continue
    }
    await revisions.unqueueRollout(db, name)
    const why = state === 'aborted' ? 'what it waited for was aborted' : 'its revision is gone'
    const detail = { revision: model?.revision ?? null, why }
    const entry = { actor: 'planner', action: 'rollout.unqueued', subject: name, detail }
    await audit.writeAudit(db, entry, context.now())
  }
}

async function endOf(
  { db }: ConductorContext,
  model: Model,
): Promise<'under-way' | 'ended' | 'aborted'> {
  const newest = await rollouts.newestRollouts(db, model.name)
  const own = newest.filter((rollout) => rollout.model === model.id)
  if (own.some(({ state }) => state === 'aborted')) return 'aborted'
  const open = (await rollouts.openRollouts(db)).filter(({ modelName }) => modelName === model.name)
  if (open.some(({ state }) => state !== 'done')) return 'under-way'
  if (model.intent !== 'rollout') return 'ended'
  const meant = await classesMeant(db, model.rolloutOptions?.where)
  const stages = await pipelines.pipelinesOf(db, model.id)
  const isOver = (id: string) =>
    own.some((rollout) => rollout.class === id) ||
    stages.some((row) => row.class === id && (row.stuck || OVER.has(row.stage)))
  return meant.every(isOver) ? 'ended' : 'under-way'
}
