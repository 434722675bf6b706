import { type ConductorContext, commit } from '../conductor/index.ts'
import type { RolloutOptions } from '../rollout/index.ts'
import {
  audit,
  devices as deviceRows,
  type Model,
  models,
  rollouts,
  setNoiseAccepted,
  variants,
} from '../storage/index.ts'
import { type Call, drivenModel, modelNamed } from './call.ts'
import { ApiError } from './errors.ts'
import type { RevisionView } from './views.ts'

/** More entries than revisions that anybody looks at. */
const MOST_ENTRIES = 10_000

/** @throws ApiError `unknown-model` naming the revisions there are */
export async function revisionNamed(
  context: ConductorContext,
  name: string,
  revision: number | undefined,
): Promise<Model> {
  const newest = await modelNamed(context, name)
  if (revision === undefined) return newest
  const all = await models.revisionsOf(context.db, name)
  const found = all.find((model) => model.revision === revision)
  if (found) return found
  const there = all.map((model) => model.revision).join(', ')
  throw new ApiError('unknown-model', `${name} has no revision ${revision}; there are: ${there}`)
}

/** Every revision, newest first: what it was, whose, and where it runs now. */
export async function history(context: ConductorContext, name: string): Promise<RevisionView[]> {
  const { db } = context
  await modelNamed(context, name)
  const all = await models.revisionsOf(db, name)
  const driven = await models.drivenModel(db, name)
  const added = await addedBy(context, name)
  const running = await runningBySource(context, name)
  const seen = new Set<string>()
  return Promise.all(
    all.map(async (model) => {
      // The same file registered twice is one to devices: it counts for the newest of them.
      const devices = seen.has(model.source) ? 0 : (running.get(model.source) ?? 0)
      seen.add(model.source)
      return {
        revision: model.revision,
        inUse: model.id === driven?.id,
        intent: model.intent,
        registeredAt: model.registeredAt,
        by: added.get(model.revision) ?? 'unknown',
        source: model.source,
        bytes: model.facts.bytes,
        accuracy: model.reference.wholeQuality.accuracy,
        metric: model.reference.wholeQuality.metric,
        testSamples: model.testSamples,
        variants: await variants.countBuilt(db, model.source),
        devices,
      }
    }),
  )
}

async function addedBy(
  { db }: ConductorContext,
  name: string,
): Promise<ReadonlyMap<unknown, string>> {
  const entries = await audit.readAudit(db, { limit: MOST_ENTRIES, subject: name })
  return new Map(
    entries
      .filter(({ action }) => action === 'models.add')
      .map(({ actor, detail }) => [detail.revision, actor]),
  )
}

/** Devices whose active slot holds a file that was built from a source, by that source. */
async function runningBySource(
  { db }: ConductorContext,
  name: string,
): Promise<ReadonlyMap<string, number>> {
  const active = (await deviceRows.listDevices(db)).flatMap(({ slots }) =>
    slots.filter((slot) => slot.model === name && slot.active).map(({ variant }) => variant),
  )
  const counts = new Map<string, number>()
  for (const digest of new Set(active)) {
    const source = (await variants.variantByDigest(db, digest))?.source
    if (source === undefined) continue
    const devices = active.filter((other) => other === digest).length
    counts.set(source, (counts.get(source) ?? 0) + devices)
  }
  return counts
}

/** The revision that was rolled out before the one in use. @throws ApiError where there is none */
export async function revisionBefore(context: ConductorContext, name: string): Promise<Model> {
  const current = await drivenModel(context, name)
  const rolledOut = await rollouts.rolloutsOf(context.db, name)
  const before = rolledOut.find(({ model }) => model !== current.id)
  const model = before && (await models.modelById(context.db, before.model))
  if (model) return model
  throw new ApiError(
    'nothing-to-do',
    `revision ${current.revision} is the only one of ${name} that was ever rolled out: name another with --to`,
  )
}

/** What an operator wants of a revision. */
export interface Asked {
  readonly options: RolloutOptions
  readonly wait: boolean
  /** Choose from measurements of busy devices too. */
  readonly acceptNoise: boolean
  readonly action: 'rollout.start' | 'rollback'
}

/** From here on this revision is the one that is planned and rolled out; newer ones wait until they are asked for. */
export async function drive(
  { context, actor }: Call,
  model: Model,
  { options, acceptNoise, action }: Omit<Asked, 'wait'>,
): Promise<void> {
  await commit(context, 'rollout.asked', async (trx) => {
    await models.holdNewer(trx, model)
    await models.setIntent(trx, model.id, 'rollout', options)
    if (acceptNoise) await setNoiseAccepted(trx, model.id, true, context.now())
    const detail = { revision: model.revision, ...options, acceptNoise }
    const entry = { actor, action, subject: model.name, detail }
    await audit.writeAudit(trx, entry, context.now())
  })
}

/** Two revisions on their way at once would meet on devices in an order that nobody chose. @throws ApiError */
export async function refuseWhileAnother(context: ConductorContext, model: Model): Promise<void> {
  const open = await rollouts.openRollouts(context.db)
  const other = open.find(
    (rollout) =>
      rollout.modelName === model.name && rollout.model !== model.id && rollout.state !== 'done',
  )
  if (other === undefined) return
  const { revision } = (await models.modelById(context.db, other.model)) ?? { revision: '?' }
  throw new ApiError(
    'rollout-under-way',
    `revision ${revision} of ${model.name} is on its way to ${other.class} (${other.state}): end it with fitment rollout abort ${model.name}, or go back with fitment rollback ${model.name}`,
  )
}
