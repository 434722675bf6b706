import type { ConductorContext } from '../conductor/index.ts'
import { printWaves } from '../rollout/index.ts'
import {
  devices as deviceRows,
  type Model,
  models,
  pipelines,
  type Rollout,
  rollouts,
  selections,
  variants,
} from '../storage/index.ts'
import type { RolloutStatus, RolloutView } from './views.ts'

/** The newest rollout of each class, and classes that have none yet. */
export async function rolloutStatus(
  context: ConductorContext,
  model: Model,
): Promise<RolloutStatus> {
  const { db } = context
  const shown = await rollouts.newestRollouts(db, model.name)
  const current = await models.modelById(db, model.id)
  const own = new Set(shown.filter((r) => r.model === model.id).map((r) => r.class))
  const intent = current?.intent ?? model.intent
  const stages = await pipelines.pipelinesOf(db, model.id)
  // Asked for, and the conductor has not come to it yet: an older revision's rollouts are not the answer.
  const unseen = intent === 'registered' ? [] : await deviceRows.classesInUse(db)
  const begun = new Set(stages.map((pipeline) => pipeline.class))
  return {
    model: model.name,
    intent,
    rollouts: await Promise.all(shown.map((rollout) => rolloutView(context, rollout))),
    pending: [
      ...stages,
      ...unseen
        .filter((id) => !begun.has(id))
        .map((id) => ({ class: id, stage: 'candidates', waiting: '', stuck: false }) as const),
    ]
      .filter((pipeline) => !own.has(pipeline.class))
      .map(({ class: id, stage, waiting, stuck }) => ({ class: id, stage, waiting, stuck })),
  }
}

async function rolloutView(context: ConductorContext, rollout: Rollout): Promise<RolloutView> {
  const { db } = context
  const selection = await selections.selectionBySeq(db, rollout.selection)
  const model = await models.modelById(db, rollout.model)
  const winner = selection?.selection.winner
  const variant = winner ? await variants.findVariant(db, winner) : undefined
  const members = await rollouts.membersOf(db, rollout.id)
  const devices = await deviceRows.presenceOfClass(db, rollout.class)
  const online = new Map(devices.map((device) => [device.id, device.online]))
  const joined = new Set(members.map(({ device }) => device))
  const outside = devices.filter(({ id }) => !joined.has(id))
  // Thousands of members have a handful of variants between them.
  const schemes = new Map<string, string | null>()
  for (const key of new Set(members.flatMap((member) => member.variant ?? []))) {
    schemes.set(key, (await variants.findVariant(db, key))?.scheme ?? null)
  }
  return {
    id: rollout.id,
    model: rollout.modelName,
    revision: model?.revision ?? 0,
    class: rollout.class,
    state: rollout.state,
    wave: rollout.wave + 1,
    waves: printWaves(rollout.options.waves),
    scheme: variant?.scheme ?? '?',
    runtime: variant?.runtime ?? 'litert',
    bytes: variant?.bytes ?? 0,
    reason: rollout.reason,
    why: selection?.selection.why ?? '',
    createdAt: rollout.createdAt,
    updatedAt: rollout.updatedAt,
    devices: members.map((member) => ({
      device: member.device,
      online: online.get(member.device) ?? false,
      wave: member.wave + 1,
      state: member.state,
      scheme: schemes.get(member.variant ?? '') ?? null,
      error: member.error,
    })),
    outside: {
      online: outside.filter((device) => device.online).length,
      offline: outside.filter((device) => !device.online).length,
    },
  }
}
