import type { ConductorContext } from '../../conductor/index.ts'
import {
  audit,
  devices as deviceRows,
  type Model,
  models,
  type RevisionFacts,
  type Rollout,
  revisions,
  rollouts,
  variants,
} from '../../storage/index.ts'
import { drivenModel, modelNamed } from '../call/call.ts'
import { ApiError } from '../contract/errors.ts'
import type { RevisionView } from '../contract/views.ts'

/** More entries than revisions that anybody looks at. */
const MOST_ENTRIES = 10_000

/** By its number, or by a tag. @throws ApiError `unknown-model` naming the revisions there are */
export async function revisionNamed(
  context: ConductorContext,
  name: string,
  revision: number | string | undefined,
): Promise<Model> {
  const newest = await modelNamed(context, name)
  if (revision === undefined) return newest
  const all = await models.revisionsOf(context.db, name)
  const tagged =
    typeof revision === 'string'
      ? await revisions.taggedRevision(context.db, name, revision)
      : undefined
  const found = all.find((model) => model.revision === revision || model.id === tagged)
  if (found) return found
  const facts = await revisions.revisionFacts(context.db, name)
  const there = all
    .map(({ id, revision: number }) => [number, ...facts(id).tags].join(' '))
    .join(', ')
  throw new ApiError('unknown-model', `${name} has no revision ${revision}; there are: ${there}`)
}

/** The same, of which the files are there. @throws ApiError `pruned` */
export async function keptRevision(
  context: ConductorContext,
  name: string,
  revision: number | string | undefined,
): Promise<Model> {
  const model = await revisionNamed(context, name, revision)
  const { prunedAt } = (await revisions.revisionFacts(context.db, name))(model.id)
  if (prunedAt === null) return model
  throw new ApiError(
    'pruned',
    `the files of ${name} revision ${model.revision} were pruned on ${prunedAt.slice(0, 10)}: register them again with fitment models add ${name}, or name another of fitment models history ${name}`,
  )
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
  const facts = await revisions.revisionFacts(db, name)
  return Promise.all(
    all.map(async (model) => {
      // The same file registered twice is one to devices: it counts for the newest of them.
      const devices = seen.has(model.source) ? 0 : (running.get(model.source) ?? 0)
      seen.add(model.source)
      return {
        revision: model.revision,
        inUse: model.id === driven?.id,
        ...known(facts(model.id)),
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

function known({ note, tags, prunedAt }: RevisionFacts) {
  return { note, tags: [...tags], prunedAt }
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
export async function runningBySource(
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
  const facts = await revisions.revisionFacts(context.db, name)
  const rolledOut = await rollouts.rolloutsOf(context.db, name)
  const before = rolledOut.find(
    ({ model }) => model !== current.id && facts(model).prunedAt === null,
  )
  const model = before && (await models.modelById(context.db, before.model))
  if (model) return model
  throw new ApiError(
    'nothing-to-do',
    `revision ${current.revision} is the only one of ${name} that was ever rolled out: name another with --to`,
  )
}

/** Two revisions on their way at once would meet on devices in an order that nobody chose. @throws ApiError */
export async function refuseWhileAnother(context: ConductorContext, model: Model): Promise<void> {
  const other = await anotherUnderWay(context, model)
  if (other === undefined) return
  const { revision } = (await models.modelById(context.db, other.model)) ?? { revision: '?' }
  throw new ApiError(
    'rollout-under-way',
    `revision ${revision} of ${model.name} is on its way to ${other.class} (${other.state}): end it with fitment rollout abort ${model.name}, go back with fitment rollback ${model.name}, or begin once it has ended with --after`,
  )
}

/** A rollout of another revision of the name that has not ended. */
export async function anotherUnderWay(
  { db }: ConductorContext,
  model: Model,
): Promise<Rollout | undefined> {
  const open = await rollouts.openRollouts(db)
  return open.find(
    (rollout) =>
      rollout.modelName === model.name && rollout.model !== model.id && rollout.state !== 'done',
  )
}
