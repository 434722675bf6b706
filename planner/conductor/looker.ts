import {
  devices,
  type Model,
  models,
  pipelines,
  rollouts,
  tallies,
  windows,
} from '../storage/index.ts'
import type { Due, PipelineName } from './context/agenda.ts'
import type { ConductorContext } from './context/context.ts'
import { advanceParts } from './devices/class-parts.ts'
import { advanceModel } from './pipeline/advance-model.ts'
import { advanceRechecks } from './rechecks.ts'
import { advanceMembers, sweepMembers } from './rollouts/advance-members.ts'
import { advanceRollout, noteReason } from './rollouts/advance-rollout.ts'
import { classesMeant } from './rollouts/meant.ts'
import { endPauses } from './rollouts/pauses.ts'
import { advanceQueue } from './rollouts/queue.ts'
import { advanceReleases, WAITS_FOR_RELEASE } from './rollouts/releases.ts'
import { sendBack } from './rollouts/withdrawal.ts'
import { advancePackages } from './runtimes/advance-packages.ts'

/** Looks at what is due, and does what the database says is next there. */
export class Looker {
  readonly #context: ConductorContext
  /** Rollouts that wait for signatures of release keys, as the last look at releases found. */
  #waiting: ReadonlySet<string> = new Set()

  /** Pipelines in which something was measured since parts of classes were last looked for. */
  readonly #measured = new Map<string, PipelineName>()
  #partsAt = 0

  constructor(context: ConductorContext) {
    this.#context = context
  }

  async look(due: Due): Promise<void> {
    const context = this.#context
    const { agenda } = context
    if (due.everything) await this.#mend()
    await this.#advancePipelines(due)
    if (due.everything || due.clocks) await endPauses(context)
    const asked = due.releases || due.everything || (due.clocks && this.#waiting.size > 0)
    if (asked || agenda.wantsReleases) await this.#advanceReleases()
    await advanceMembers(context, due.devices, this.#waiting)
    await this.#advanceRollouts(due)
    if (due.returns || due.everything) await sendBack(context)
    await this.#advanceMeasured(due)
    if (due.everything || due.clocks || due.rollouts.length > 0) await advanceQueue(context)
    if (due.everything) await advancePackages(context)
    else if (due.packages.length > 0) await advancePackages(context, due.packages)
  }

  /** Counts are counted once more; nothing should differ. */
  async #mend(): Promise<void> {
    const { db, log } = this.#context
    // Of one moment: what others commit meanwhile must not look like a mistake.
    const mending = db.transaction().setIsolationLevel('repeatable read')
    const wrong = await mending.execute((trx) => tallies.mendTallies(trx))
    if (wrong.length > 0) log.warn({ wrong }, 'counts of devices were wrong, and are right again')
  }

  async #advancePipelines(due: Due): Promise<void> {
    const context = this.#context
    const { db } = context
    const isAsked = due.everything || due.clocks || due.devices.length + due.pipelines.length > 0
    if (!isAsked) return
    const driven = await models.drivenModels(db)
    if (driven.length === 0) return
    const byId = new Map(driven.map((model) => [model.id, model]))
    const meant = new Map<string, readonly string[]>()
    for (const { model: id, class: classId } of await this.#pipelinesDue(due, driven)) {
      const model = byId.get(id)
      if (!model) continue
      // A rollout for some devices leaves classes alone that have none of them.
      const where = model.intent === 'plan' ? undefined : model.rolloutOptions?.where
      const classes = where && (meant.get(id) ?? (await classesMeant(db, where)))
      if (classes) meant.set(id, classes)
      if (classes && !classes.includes(classId)) continue
      await advanceModel(context, model, classId)
    }
  }

  async #pipelinesDue(due: Due, driven: readonly Model[]): Promise<readonly PipelineName[]> {
    const { db } = this.#context
    const ids = driven.map(({ id }) => id)
    const classes = due.everything || due.devices.length > 0 ? await devices.classesInUse(db) : []
    const pairs = ids.flatMap((model) => classes.map((classId) => ({ model, class: classId })))
    if (due.everything) return pairs
    const unsettled =
      due.clocks || due.devices.length > 0 ? await pipelines.unsettledPipelines(db, ids) : []
    // A class may have got its first device just now.
    const begun = classes.length > 0 ? await pipelines.namesOf(db, ids) : new Set<string>()
    const fresh = pairs.filter(({ model, class: classId }) => !begun.has(`${model} ${classId}`))
    const all = [...due.pipelines, ...unsettled, ...fresh]
    return [...new Map(all.map((one) => [`${one.model} ${one.class}`, one])).values()]
  }

  async #advanceMeasured(due: Due): Promise<void> {
    const isTick = due.everything || due.clocks
    if (isTick || due.pipelines.length > 0) await advanceRechecks(this.#context, { isTick })
    await this.#advanceParts(due)
  }

  /** Looks through what a class measured: now and then, not at every report. */
  async #advanceParts({ pipelines: due }: Due): Promise<void> {
    const { now, settings } = this.#context
    for (const one of due) this.#measured.set(`${one.model} ${one.class}`, one)
    const at = now().getTime()
    if (this.#measured.size === 0 || at - this.#partsAt < settings.partsMs) return
    this.#partsAt = at
    const names = [...this.#measured.values()]
    this.#measured.clear()
    await advanceParts(this.#context, names)
  }

  async #advanceReleases(): Promise<void> {
    const context = this.#context
    const before = this.#waiting
    this.#waiting = await advanceReleases(context)
    for (const id of before) if (!this.#waiting.has(id)) context.agenda.rollout(id)
    for (const rollout of await rollouts.openRollouts(context.db)) {
      if (this.#waiting.has(rollout.id)) await noteReason(context, rollout, WAITS_FOR_RELEASE)
    }
  }

  async #advanceRollouts(due: Due): Promise<void> {
    const context = this.#context
    const { db } = context
    if (due.everything) {
      for (const rollout of await rollouts.openRollouts(db)) {
        await sweepMembers(context, rollout, this.#waiting)
        if (!this.#waiting.has(rollout.id)) await advanceRollout(context, rollout.id)
      }
    }
    for (const id of new Set([...due.rollouts, ...(await this.#byTheClock(due))])) {
      if (!this.#waiting.has(id)) await advanceRollout(context, id)
    }
  }

  /** How devices do with what they got shows with time; rates and hours go by it. */
  async #byTheClock({ clocks, everything }: Due): Promise<readonly string[]> {
    if (!clocks || everything) return []
    const { db } = this.#context
    const hasHours = (await windows.listWindows(db)).length > 0
    const open = await rollouts.openRollouts(db)
    return open
      .filter(({ options }) => options.health || options.rate || hasHours)
      .map(({ id }) => id)
  }
}
