import {
  type ConductorContext,
  classesMeant,
  hoursOf,
  meantBy,
  opensAt,
  subjectsOfClass,
} from '../../conductor/index.ts'
import { judgeRecheck } from '../../probing/index.ts'
import {
  acceptsNoise,
  type Db,
  devices as deviceRows,
  type Model,
  models,
  pipelines,
  type Rollout,
  rechecks,
  revisions,
  rollouts,
  type StoredSelection,
  selections,
  variants,
} from '../../storage/index.ts'
import type { RolloutStatus, RolloutView } from '../contract/views.ts'
import { headOf } from './rollout-head.ts'

/** The newest rollout of each class with those that are open beside it, and classes that have none yet. */
export async function rolloutStatus(
  context: ConductorContext,
  model: Model,
): Promise<RolloutStatus> {
  const { db } = context
  const shown = await shownRollouts(db, model.name)
  const current = await models.modelById(db, model.id)
  const own = new Set(shown.filter((r) => r.model === model.id).map((r) => r.class))
  const intent = current?.intent ?? model.intent
  const stages = await pipelines.pipelinesOf(db, model.id)
  // Asked for, and the conductor has not come to it yet: an older revision's rollouts are not the answer.
  const meant = await classesMeant(db, current?.rolloutOptions?.where)
  const unseen = intent === 'registered' ? [] : meant
  const begun = new Set(stages.map((pipeline) => pipeline.class))
  return {
    model: model.name,
    intent,
    next: await nextOf(db, model.name),
    rollouts: await Promise.all(shown.map((rollout) => rolloutView(context, rollout))),
    pending: [
      ...stages,
      ...unseen
        .filter((id) => !begun.has(id))
        .map((id) => ({ class: id, stage: 'candidates', waiting: '', stuck: false }) as const),
    ]
      .filter((pipeline) => !own.has(pipeline.class) && meant.includes(pipeline.class))
      .map(({ class: id, stage, waiting, stuck }) => ({ class: id, stage, waiting, stuck })),
  }
}

async function nextOf(db: Db, name: string): Promise<RolloutStatus['next']> {
  const queued = (await revisions.queuedRollouts(db)).find((row) => row.name === name)
  const model = queued && (await models.modelById(db, queued.model))
  return queued && model ? { revision: model.revision, by: queued.by, at: queued.at } : null
}

/** A sentence for each device that measured what it was given, or could not. */
async function recheckTexts(
  db: Db,
  rollout: Rollout,
  chosen: StoredSelection | undefined,
): Promise<ReadonlyMap<string, string>> {
  const acceptNoise = await acceptsNoise(db, rollout.model)
  const own = await rechecks.recheckedOf(db, rollout)
  return new Map(
    own.flatMap(({ device, variant, record, error }) => {
      if (error) return [[device, `could not measure it: ${error.code}: ${error.message}`]]
      const row = chosen?.measured.find(({ key }) => key === variant)
      return row && record ? [[device, judgeRecheck(row, record, acceptNoise).text]] : []
    }),
  )
}

/** States in which a device may wait for its window. */
const WAITING: ReadonlySet<string> = new Set([
  'ordered',
  'accepted',
  'downloading',
  'verified',
  'installed',
])

async function shownRollouts(db: Db, name: string): Promise<readonly Rollout[]> {
  const newest = await rollouts.newestRollouts(db, name)
  const open = (await rollouts.openRollouts(db)).filter(({ modelName }) => modelName === name)
  const beside = open.filter(({ id }) => !newest.some((rollout) => rollout.id === id)).reverse()
  return [...newest, ...beside].sort((a, b) => a.class.localeCompare(b.class))
}

async function rolloutView(context: ConductorContext, rollout: Rollout): Promise<RolloutView> {
  const { db } = context
  const selection = await selections.selectionBySeq(db, rollout.selection)
  const members = await rollouts.membersOf(db, rollout.id)
  const devices = await deviceRows.presenceOfClass(db, rollout.class)
  const subjects = subjectsOfClass(db, rollout.class)
  const online = new Map(devices.map((device) => [device.id, device.online]))
  const joined = new Set(members.map(({ device }) => device))
  const { isFor } = await meantBy(db, rollout, subjects)
  const hours = rollout.options.atOnce ? new Map<string, never>() : await hoursOf(db, subjects)
  const opens = (id: string) => {
    const own = hours.get(id)
    return (own && opensAt(own, context.now())?.toISOString()) ?? null
  }
  const outside = devices.filter(({ id }) => !joined.has(id) && isFor(id))
  // Thousands of members have a handful of variants between them.
  const schemes = new Map<string, string | null>()
  for (const key of new Set(members.flatMap((member) => member.variant ?? []))) {
    schemes.set(key, (await variants.findVariant(db, key))?.scheme ?? null)
  }
  const rechecked = await recheckTexts(db, rollout, selection)
  return {
    ...(await headOf(db, rollout, selection)),
    devices: members.map((member) => ({
      device: member.device,
      online: online.get(member.device) ?? false,
      wave: member.wave + 1,
      state: member.state,
      scheme: schemes.get(member.variant ?? '') ?? null,
      error: member.error,
      opensAt: WAITING.has(member.state) ? opens(member.device) : null,
      recheck: (member.state === 'active' && rechecked.get(member.device)) || null,
    })),
    outside: {
      online: outside.filter((device) => device.online).length,
      offline: outside.filter((device) => !device.online).length,
    },
  }
}
