import { messageOf } from '../../../shared/errors.ts'
import { readManifest, unpackedBytes } from '../../../shared/runtime-package/index.ts'
import { ArtifactError, type NewSlot, NO_LINKS } from '../../artifacts/index.ts'
import { choiceOf } from '../../engines/index.ts'
import {
  type Installable,
  isPackage,
  type TrustedAssignment,
  type TrustedPackage,
} from '../../trust/index.ts'
import type { AgentContext } from '../agent-context.ts'
import { watchHealth } from '../health/health.ts'
import type { Installation } from '../journal/records.ts'
import { installReport } from '../reports.ts'
import type { InstallStep } from '../transitions/install-table.ts'
import { engineFor, installedModel, isTold, whatIsTold } from './installed-model.ts'
import { openLibrary, requireSame } from './package-library.ts'
import { leftBehind, rollbackTarget } from './rollback-target.ts'
import { besides } from './wanted-artifacts.ts'
import { whenOpen } from './when-open.ts'
import { whileLocked } from './while-locked.ts'

/** Between two reports of progress, ms. */
const PROGRESS_MS = 2_000
/** Silence of a connected planner after which golden inputs are given up, ms. */
const GOLDEN_GIVE_UP_MS = 120_000

/** Steps that do something; the others are ends. */
export type WorkingStep = Exclude<InstallStep, 'active' | 'rolled-back' | 'failed' | 'superseded'>

/** A step of the installation of what it is written for. */
type StepWork<A extends Installable> = (
  job: Installation & { readonly assignment: A },
  context: AgentContext,
  signal: AbortSignal,
) => Promise<void>
type Work<A extends Installable, S extends WorkingStep = WorkingStep> = Readonly<
  Record<S, StepWork<A>>
>

/** The same for a variant and for a package. Each may be done again after a restart; each throws an AppError where it fails. */
const COMMON_WORK = {
  accepted: async () => {},

  async downloading({ order, assignment }, context, signal) {
    // Never given up: a planner that is away comes back, and a newer assignment ends the waiting.
    const giveUpMs = Number.POSITIVE_INFINITY
    await requireOwnName(assignment.model, context)
    const progress = progressTeller(order, assignment, context)
    await context.store.fetch(assignment.artifact, { giveUpMs, signal, progress })
    for (const file of besides(assignment)) await context.store.fetch(file, { giveUpMs, signal })
  },

  async verifying({ assignment }, { store }) {
    await verifiedFile(assignment, store)
  },

  async switching({ order, assignment }, context, signal) {
    const { slots, notices } = context
    const { model, variant } = assignment
    if ((await slots.links(model)).current === variant) return
    const notice = { model, variant, file: (await slots.file(model, variant)) ?? null }
    await notices.before(notice, signal)
    await whileLocked({ order, assignment }, context, (locks, onWait) =>
      locks.exclusively(signal, () => slots.switchTo(model, variant), onWait),
    )
    notices.after(notice)
  },

  async 'rolling-back'({ assignment, before }, { slots, notices }) {
    const { model, variant } = assignment
    const links = await rollbackTarget(model, before ?? NO_LINKS, variant, slots)
    await slots.restore(model, links)
    const { current } = links
    const file = (current && (await slots.file(model, current))) ?? null
    notices.after({ model, variant: current, file })
    await slots.remove(model, variant)
  },
} satisfies Partial<Work<Installable>>

const VARIANT_WORK: Work<TrustedAssignment> = {
  ...COMMON_WORK,

  async installing({ assignment }, context, signal) {
    const { store, slots, fileSystems, clock } = context
    const { model, variant, scheme, class: deviceClass, counter, artifact } = assignment
    const engine = engineFor(assignment, context)
    const isThere = await slots.isGood(model, variant)
    const told = await whatIsTold(assignment, engine, context)
    if (isThere && isTold(await slots.installedModel(model, variant), told)) return
    const file = await verifiedFile(assignment, store)
    const installed = await installedModel(told, engine, file, context, signal)
    const slot: NewSlot = {
      v: 1,
      model,
      variant,
      bytes: artifact.bytes,
      runtime: engine.runtime,
      scheme,
      revision: assignment.revision ?? null,
      class: deviceClass,
      counter,
      installedAt: clock.now().toISOString(),
    }
    const sketch = await verifiedSketch(assignment, store)
    if (isThere) await slots.describe(slot, installed, sketch)
    else {
      if (!fileSystems.hardLinks) await store.makeRoom(artifact.bytes, artifact.digest)
      await slots.install(slot, installed, file, sketch)
    }
  },

  async waiting({ order, assignment, windows = [] }, context, signal) {
    const { model, variant } = assignment
    if ((await context.slots.links(model)).current === variant) return
    await whenOpen(model, windows, context, signal)
    await whileLocked({ order, assignment }, context, (locks, onWait) =>
      locks.whenFree(signal, onWait),
    )
  },

  async testing({ assignment }, context, signal) {
    const { model, variant, selfTest } = assignment
    const golden = selfTest
      ? await context.store.fetch(selfTest, { giveUpMs: GOLDEN_GIVE_UP_MS, signal })
      : null
    const file = await slotFile(model, variant, context.slots)
    await context.measurementLock.during(signal, () =>
      context.modelRunner.selfTest(
        { file, engine: choiceOf(engineFor(assignment, context)), what: 'run', golden },
        signal,
      ),
    )
    // From here on no older release is believed. Before the commit: after a cut of power both are done again.
    await context.trust.installed(assignment)
  },

  async watching(job, { stateDir, slots, health, messages, log }, signal) {
    const { model, variant } = job.assignment
    const file = await slotFile(model, variant, slots)
    await watchHealth({ stateDir, model, variant, file }, health, messages, signal)
    if (leftBehind(job) === null) return
    await slots.keepSpare(model, variant).catch((error) => log.warn({ model }, messageOf(error)))
  },
}

/** A library is opened before the links move: nobody who follows `current` meets one that cannot be. */
const PACKAGE_WORK: Work<TrustedPackage> = {
  ...COMMON_WORK,

  async installing({ assignment }, { store, slots }) {
    const { model, variant } = assignment
    if (await slots.isGood(model, variant)) return
    const archive = await verifiedFile(assignment, store)
    const manifest = await readManifest(archive)
    requireSame(assignment, manifest)
    await store.makeRoom(unpackedBytes(manifest), variant)
    await slots.unpack(model, variant, archive)
  },

  async waiting({ assignment }, context, signal) {
    const { model, variant } = assignment
    await context.measurementLock.during(signal, () => openLibrary(model, variant, context.slots))
  },

  async testing({ assignment }, { trust }) {
    await trust.installed(assignment)
  },

  async watching() {},
}

/** What a step does for this installation. */
export function work(job: Installation, context: AgentContext, signal: AbortSignal): Promise<void> {
  const { assignment, ...rest } = job
  const step = job.step as WorkingStep
  return isPackage(assignment)
    ? PACKAGE_WORK[step]({ ...rest, assignment }, context, signal)
    : VARIANT_WORK[step]({ ...rest, assignment }, context, signal)
}

/** Where capitals make no difference, as on FAT, one model's slots would be another's. */
async function requireOwnName(
  model: string,
  { slots, fileSystems }: Pick<AgentContext, 'slots' | 'fileSystems'>,
): Promise<void> {
  if (fileSystems.caseSensitive) return
  const namesake = (await slots.models()).find(
    (name) => name !== model && name.toLowerCase() === model.toLowerCase(),
  )
  if (namesake === undefined) return
  throw new ArtifactError(
    'name-taken',
    `this device's file system does not tell ${model} from ${namesake}: rename one of the models`,
    { model, namesake },
  )
}

async function slotFile(
  model: string,
  variant: string,
  slots: AgentContext['slots'],
): Promise<string> {
  const file = await slots.file(model, variant)
  if (file) return file
  throw new ArtifactError('slot-missing', `the slot of ${model} vanished`, { variant })
}

async function verifiedFile(
  { artifact, variant }: Installable,
  store: AgentContext['store'],
): Promise<string> {
  const file = await store.locate(artifact.digest)
  if (file) return file
  throw new ArtifactError(
    'wrong-digest',
    `variant ${variant.slice(0, 12)} was spoiled on disk after its download; check the storage`,
    { variant },
  )
}

/** What the variant's observations are counted by, if it came with that. */
async function verifiedSketch(
  { sketch }: TrustedAssignment,
  store: AgentContext['store'],
): Promise<string | null> {
  if (sketch === undefined) return null
  const file = await store.locate(sketch.digest)
  if (file) return file
  throw new ArtifactError('wrong-digest', 'the sketch was spoiled on disk; check the storage')
}

function progressTeller(order: string, assignment: Installable, context: AgentContext) {
  let toldAt = context.clock.monotonic()
  return (bytesDone: number) => {
    const now = context.clock.monotonic()
    if (now - toldAt < PROGRESS_MS) return
    toldAt = now
    const at = context.clock.now()
    context.tell(installReport(order, assignment, 'downloading', at, { bytesDone }))
  }
}
