import type { Digest } from '../../../shared/digest.ts'
import { messageOf } from '../../../shared/errors.ts'
import type { ConductorContext } from '../../conductor/index.ts'
import {
  audit,
  capturedSamples,
  devices as deviceRows,
  directions,
  leaving,
  type Model,
  models,
  revisions,
  rollouts,
} from '../../storage/index.ts'
import { type Call, drivenModel, modelNamed } from '../call/call.ts'
import type { OperationInput, OperationOutput } from '../contract/contract.ts'
import { ApiError } from '../contract/errors.ts'
import { revisionNamed, runningBySource } from './revisions.ts'

const DAY_MS = 86_400_000
/** Names shown before the rest is counted. */
const MOST_SHOWN = 3

/** What people want remembered of a revision. */
export async function annotate(
  { model: name, revision, note, tags, untag }: OperationInput<'models.annotate'>,
  { context, actor }: Call,
): Promise<OperationOutput<'models.annotate'>> {
  const { db } = context
  const model = await revisionNamed(context, name, revision)
  await db.transaction().execute(async (trx) => {
    if (note !== undefined) await revisions.putNote(trx, model.id, note === '' ? null : note)
    for (const tag of tags) await revisions.putTag(trx, name, tag, model.id)
    for (const tag of untag) await revisions.putTag(trx, name, tag, null)
    const detail = { revision: model.revision, note, tags, untag }
    const entry = { actor, action: 'models.annotate', subject: name, detail }
    await audit.writeAudit(trx, entry, context.now())
  })
  const facts = (await revisions.revisionFacts(db, name))(model.id)
  return { model: name, revision: model.revision, note: facts.note, tags: [...facts.tags] }
}

/** Takes the files of revisions that nobody needs any more; what each that stays is kept for is said. */
export async function prune(
  { model: name, keep, olderDays, dryRun }: OperationInput<'models.prune'>,
  { context, actor }: Call,
): Promise<OperationOutput<'models.prune'>> {
  const { db } = context
  const newest = await modelNamed(context, name)
  const reasons = await keptFor(context, newest, { keep, olderDays })
  const facts = await revisions.revisionFacts(db, name)
  const rows = []
  for (const model of await models.revisionsOf(db, name)) {
    if (facts(model.id).prunedAt !== null) continue
    const why = reasons.get(model.id) ?? null
    const { revision } = model
    if (why !== null || dryRun) {
      rows.push({ revision, kept: why, freedBytes: 0 })
      continue
    }
    const freedBytes = await takeFiles(context, [model], async () => {})
    await revisions.markPruned(db, model.id, freedBytes, context.now())
    const detail = { revision, freedBytes, keep, olderDays }
    const entry = { actor, action: 'models.prune', subject: name, detail }
    await audit.writeAudit(db, entry, context.now())
    rows.push({ revision, kept: null, freedBytes })
  }
  return { model: name, dryRun, revisions: rows }
}

/** What is known of a revision when it is asked whether it is needed. */
interface Standing {
  readonly id: string
  /** 0: the newest. */
  readonly age: number
  readonly driven: string
  readonly open: ReadonlySet<string>
  readonly queued: string | undefined
  readonly before: string | undefined
  /** That run it. */
  readonly devices: number
  readonly tags: readonly string[]
  readonly days: number
  readonly keep: number
  readonly olderDays: number
}

/** The policy: what a revision keeps its files for. The first that holds is told. */
const KEPT_FOR: readonly (readonly [(one: Standing) => boolean, (one: Standing) => string])[] = [
  [({ id, driven }) => id === driven, () => 'in use'],
  [({ id, open }) => open.has(id), () => 'a rollout of it is open'],
  [({ id, queued }) => id === queued, () => 'it is rolled out next'],
  [({ devices }) => devices > 0, ({ devices }) => `${devices} devices run it`],
  [({ id, before }) => id === before, () => 'fitment rollback goes back to it'],
  [({ tags }) => tags.length > 0, ({ tags }) => `tagged ${tags.join(', ')}`],
  [({ age, keep }) => age < keep, ({ keep }) => `one of the newest ${keep}`],
  [({ days, olderDays }) => days < olderDays, ({ olderDays }) => `younger than ${olderDays} days`],
]

/** Why a revision keeps its files, by id. */
async function keptFor(
  context: ConductorContext,
  { name }: Model,
  policy: Pick<Standing, 'keep' | 'olderDays'>,
): Promise<ReadonlyMap<string, string>> {
  const { db, now } = context
  const facts = await revisions.revisionFacts(db, name)
  const driven = (await drivenModel(context, name)).id
  const open = new Set((await rollouts.openRollouts(db)).map(({ model }) => model))
  const queued = (await revisions.queuedRollouts(db)).find((row) => row.name === name)?.model
  const rolledOut = await rollouts.rolloutsOf(db, name)
  const before = rolledOut.find(({ model }) => model !== driven)?.model
  const running = await runningBySource(context, name)
  const reasons = new Map<string, string>()
  for (const [age, { id, source, registeredAt }] of (
    await models.revisionsOf(db, name)
  ).entries()) {
    const days = (now().getTime() - Date.parse(registeredAt)) / DAY_MS
    const { tags } = facts(id)
    const devices = running.get(source) ?? 0
    const one = { id, age, driven, open, queued, before, devices, tags, days, ...policy }
    const why = KEPT_FOR.find(([holds]) => holds(one))
    if (why) reasons.set(id, why[1](one))
  }
  return reasons
}

/** The name is free again; devices keep what they run. @throws ApiError `in-use` unless forced */
export async function removeModel(
  { model: name, force }: OperationInput<'models.remove'>,
  { context, conductor, actor }: Call,
): Promise<OperationOutput<'models.remove'>> {
  const { db } = context
  const newest = await modelNamed(context, name)
  const holders = (await deviceRows.listDevices(db)).filter(({ slots }) =>
    slots.some((slot) => slot.model === name && slot.active),
  )
  if (holders.length > 0 && !force) {
    const shown = holders.slice(0, MOST_SHOWN).map(({ id }) => id)
    const more = holders.length > MOST_SHOWN ? ` and ${holders.length - MOST_SHOWN} more` : ''
    throw new ApiError(
      'in-use',
      `${shown.join(', ')}${more} run ${name} and would keep it without anybody to look after it: say --force to remove it all the same`,
    )
  }
  const all = await models.revisionsOf(db, name)
  const at = context.now()
  const freedBytes = await takeFiles(context, all, async (trx) => {
    await leaving.endAll(trx, name, 'the model was removed', at)
    await capturedSamples.forgetModel(trx, name)
    const ids = all.map(({ id }) => id)
    await revisions.forgetModel(trx, name, { ids, lastRevision: newest.revision }, at)
    const detail = { revisions: all.length, devices: holders.length }
    await audit.writeAudit(trx, { actor, action: 'models.remove', subject: name, detail }, at)
  })
  conductor.poke()
  return { model: name, revisions: all.length, devices: holders.length, freedBytes }
}

/**
 * Files of these revisions that no other revision of any model stands on, and no device was told to fetch; rows first,
 * then files: who is killed between leaves files that nobody names, never rows without files.
 */
async function takeFiles(
  context: ConductorContext,
  gone: readonly Model[],
  withRows: (trx: ConductorContext['db']) => Promise<void>,
): Promise<number> {
  const { db } = context
  const ids = new Set(gone.map(({ id }) => id))
  const files = await db.transaction().execute(async (trx) => {
    const stays: Model[] = []
    for (const { name } of await models.listModels(trx)) {
      const facts = await revisions.revisionFacts(trx, name)
      const all = await models.revisionsOf(trx, name)
      stays.push(...all.filter(({ id }) => !ids.has(id) && facts(id).prunedAt === null))
    }
    const needed = new Set<Digest>(await revisions.filesOf(trx, stays))
    for (const name of new Set([...gone, ...stays].map((model) => model.name))) {
      if (
        gone.some((model) => model.name === name) &&
        !stays.some((model) => model.name === name)
      ) {
        continue
      }
      for (const digest of await directions.directedVariants(trx, name)) needed.add(digest)
    }
    const own = await revisions.filesOf(trx, gone)
    const sources = new Set(stays.map(({ source }) => source))
    const unneeded = gone.map(({ source }) => source).filter((source) => !sources.has(source))
    await revisions.forgetBuilt(trx, unneeded)
    await withRows(trx)
    return [...own].filter((digest) => !needed.has(digest))
  })
  return await freeFiles(context, files)
}

/** What cannot be removed now is in nobody's way: no row names it. */
async function freeFiles(
  { artifacts, log }: ConductorContext,
  files: readonly Digest[],
): Promise<number> {
  let freed = 0
  for (const digest of files) {
    try {
      freed += await artifacts.remove(digest)
    } catch (error) {
      log.warn({ artifact: digest, reason: messageOf(error) }, 'a file stays that nobody needs')
    }
  }
  return freed
}
