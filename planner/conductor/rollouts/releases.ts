import type { ArtifactRef } from '../../../shared/artifact.ts'
import { messageOf } from '../../../shared/errors.ts'
import { runtimeOfFiles } from '../../../shared/runtime/index.ts'
import {
  audit,
  clock,
  devices as deviceRows,
  directions,
  health,
  labelsOf,
  type Model,
  models,
  type Rollout,
  rollouts,
  selections,
  type Variant,
  variants,
} from '../../storage/index.ts'
import { targetOf } from '../../targets/index.ts'
import {
  isComplete,
  isReleasedPackage,
  type Released,
  type ReleasedVariant,
  type Releases,
  releasedBy,
} from '../../trust/index.ts'
import type { ConductorContext } from '../context/context.ts'
import { lackingPackages } from './package-releases.ts'

/** An open rollout with everything its devices may be given. */
interface Wanted {
  readonly rollout: Rollout
  readonly counter: number
  readonly variants: readonly ReleasedVariant[]
  /** What its devices ran before, to go back to: released with the rest where it was asked for. */
  readonly before: readonly ReleasedVariant[]
}

export const WAITS_FOR_RELEASE =
  'waits for signatures of the release keys: see fitment keys pending'

/** Something that is to be released under a name, and whether a release would do. */
interface Waiting {
  readonly name: string
  /** Of what, for people. */
  readonly what: string
  isIn(released: readonly Released[]): boolean
}

/**
 * Has the variants of open rollouts released, and packages of runtimes: by the release keys that lie here, or by
 * those who hold them elsewhere. Answers the rollouts that must wait for that.
 */
export async function advanceReleases(context: ConductorContext): Promise<ReadonlySet<string>> {
  const open = await rollouts.openRollouts(context.db)
  const names = new Set(open.map(({ modelName }) => modelName))
  const lacking: Record<string, readonly Released[]> = {}
  const waiting: Wanted[] = []
  for (const name of names) {
    const published = await context.trust.image.variants(name)
    const wanted = await wantedOf(context, open, name, published)
    const unreleased = wanted.filter(({ variants: all }) => !includes(published, all))
    if (unreleased.length === 0) continue
    waiting.push(...unreleased)
    lacking[name] = await releaseOf(context, name, wanted, published)
  }
  const packages = await lackingPackages(context)
  for (const { name, packages: all } of packages) lacking[name] = all
  const all = [...waiting.map(waitingOf), ...packages]
  if (all.length > 0 && (await release(context, lacking, all))) return new Set()
  return new Set(waiting.map(({ rollout }) => rollout.id))
}

/** True once it is published. One release waits at a time: a later one holds what the earlier one held. */
async function release(
  context: ConductorContext,
  lacking: Releases,
  waiting: readonly Waiting[],
): Promise<boolean> {
  const { trust } = context
  for (const batch of await trust.pending()) {
    const drafted = releasedBy(batch)
    if (!drafted) continue
    const holds = waiting.every(({ name, isIn }) => isIn(drafted[name] ?? []))
    if (holds && !isComplete(batch) && !(await trust.isStale(batch))) return false
    await trust.drop(batch)
  }
  const batch = await trust.sign(await trust.release(lacking))
  const entry = { actor: 'planner', subject: Object.keys(lacking).join(', ') }
  const isSigned = isComplete(batch)
  if (isSigned) await trust.publish(batch)
  const action = isSigned ? 'release.published' : 'release.drafted'
  await audit.writeAudit(
    context.db,
    { ...entry, action, detail: { batch: batch.id } },
    context.now(),
  )
  for (const { name, what } of isSigned ? [] : waiting) {
    context.progress.emit({ model: name, what: `${what}: ${WAITS_FOR_RELEASE}`, done: 0, total: 0 })
  }
  return isSigned
}

function waitingOf({ rollout, variants: all }: Wanted): Waiting {
  const { modelName: name, class: what } = rollout
  const isIn = (released: readonly Released[]) => includes(released.filter(isVariant), all)
  return { name, what, isIn }
}

function isVariant(released: Released): released is ReleasedVariant {
  return !isReleasedPackage(released)
}

/**
 * Every open rollout of a model under the counter of the newest release: within one release devices may go
 * from any variant to any other, and never back to one that is only in an older release.
 */
async function wantedOf(
  context: ConductorContext,
  open: readonly Rollout[],
  name: string,
  published: readonly ReleasedVariant[],
): Promise<Wanted[]> {
  const floor = await clock.releaseCounterFloor(context.db)
  const top = Math.max(floor, ...published.map(({ releaseCounter }) => releaseCounter))
  const known = await directions.releaseCounters(context.db)
  const wanted: Wanted[] = []
  for (const rollout of open.filter(({ modelName }) => modelName === name)) {
    const counter = known.get(rollout.id) ?? top + 1
    if (!known.has(rollout.id)) await directions.putReleaseCounter(context.db, rollout.id, counter)
    wanted.push({ rollout, counter, ...(await variantsOf(context, rollout, counter)) })
  }
  return wanted
}

async function variantsOf(
  context: ConductorContext,
  rollout: Rollout,
  counter: number,
): Promise<Pick<Wanted, 'variants' | 'before'>> {
  const { db } = context
  const model = await models.modelById(db, rollout.model)
  const selection = await selections.selectionBySeq(db, rollout.selection)
  if (!model || !selection) return { variants: [], before: [] }
  const release = { model, rollout, counter, labels: await labelsRef(context, model) }
  const described: ReleasedVariant[] = []
  for (const key of selection.selection.ranking) {
    const variant = await variants.findVariant(db, key)
    if (variant) described.push(...(await describe(context, release, variant)))
  }
  const before: ReleasedVariant[] = []
  const { revert, atomicBy } = rollout.options
  for (const digest of revert || atomicBy !== undefined ? await runningIn(context, rollout) : []) {
    const variant = await variants.variantByDigest(db, digest)
    if (!variant) continue
    // What devices ran before is of the revision that it was built from.
    const built = (await models.revisionOf(db, rollout.modelName, variant.source)) ?? model
    const own = { ...release, model: built, labels: await labelsRef(context, built) }
    before.push(...(await describe(context, own, variant)))
  }
  return { variants: described, before }
}

/** What all variants of one release have in common. */
interface Release {
  readonly model: Model
  readonly rollout: Rollout
  readonly counter: number
  readonly labels: ArtifactRef | null
}

async function labelsRef({ artifacts, db }: ConductorContext, model: Model) {
  const labels = await labelsOf(db, model.id)
  return labels === null ? null : await artifacts.refOf(labels)
}

async function describe(
  { artifacts, db }: ConductorContext,
  { model, rollout, counter: releaseCounter, labels }: Release,
  variant: Variant,
): Promise<ReleasedVariant[]> {
  if (!variant.digest) return []
  const { digest, bytes, blockList } = await artifacts.refOf(variant.digest)
  const evaluation = await variants.findEvaluation(db, variant.key, model.reference.whole)
  const sketch = await health.sketchOf(db, variant.key, model.reference.whole)
  const selfTest = evaluation ? await artifacts.refOf(evaluation.selfTest) : null
  // Files are released for whatever takes their format; in what of its own a device runs one, its director says.
  const runtime = runtimeOfFiles(targetOf(variant.runtime).format)
  const { scheme } = variant
  const classes = [rollout.class]
  const { revision } = model
  const facts = { model: rollout.modelName, revision, runtime, scheme, releaseCounter, blockList }
  const besides = {
    ...(labels && { labels }),
    ...(sketch && { sketch: await artifacts.refOf(sketch) }),
  }
  return [{ ...facts, ...besides, digest, bytes, selfTest, classes }]
}

/** Digests of what devices of the class run now, or were told to run. */
async function runningIn(
  context: ConductorContext,
  rollout: Rollout,
): Promise<ReadonlySet<string>> {
  const told = await directions.directedVariants(context.db, rollout.modelName, rollout.class)
  const run = await deviceRows.activeVariants(context.db, rollout.class, rollout.modelName)
  return new Set([...run, ...told])
}

/** All that shall be released of a model: what open rollouts want, and what devices were told before. */
async function releaseOf(
  context: ConductorContext,
  name: string,
  wanted: readonly Wanted[],
  published: readonly ReleasedVariant[],
): Promise<ReleasedVariant[]> {
  const newest = Math.max(...wanted.map(({ counter }) => counter))
  const directed = await directions.directedVariants(context.db, name)
  const merged = new Map<string, ReleasedVariant>()
  for (const entry of wanted.flatMap(({ variants: all, before }) => [...all, ...before])) {
    const { classes = [] } = merged.get(entry.digest) ?? {}
    const all = [...new Set([...classes, ...entry.classes])].sort()
    merged.set(entry.digest, { ...entry, classes: all, releaseCounter: newest })
  }
  for (const entry of published) {
    if (directed.has(entry.digest) && !merged.has(entry.digest)) merged.set(entry.digest, entry)
  }
  return [...merged.values()]
}

/** Every one of them is released for its classes, under its counter or a later one. */
function includes(released: readonly ReleasedVariant[], all: readonly ReleasedVariant[]): boolean {
  return all.every(({ digest, classes, releaseCounter }) => {
    const there = released.find((entry) => entry.digest === digest)
    const isForAll = classes.every((id) => there?.classes.includes(id))
    return there !== undefined && isForAll && there.releaseCounter >= releaseCounter
  })
}

/** Signs ageing metadata anew. Nothing is lost when it fails: the next hour comes. */
export async function refreshTrust({ trust, log }: ConductorContext): Promise<void> {
  try {
    await trust.refresh()
  } catch (error) {
    log.error({ reason: messageOf(error) }, 'metadata cannot be signed anew')
  }
}
