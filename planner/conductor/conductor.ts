import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { messageOf } from '../../shared/errors.ts'
import { type FailPoints, NO_FAIL_POINTS } from '../../shared/fail-points.ts'
import type { Profile } from '../classes/index.ts'
import { type CompilersHere, compilersHere } from '../compilers/index.ts'
import type { FleetLink, FleetStore } from '../fleet/index.ts'
import { createSampleStore, type SampleStore } from '../samples/index.ts'
import {
  type ArtifactStore,
  type Db,
  devices,
  health,
  reports,
  variants,
} from '../storage/index.ts'
import type { TrustAuthority } from '../trust/index.ts'
import { CostBook } from './building/cost-history.ts'
import { Agenda } from './context/agenda.ts'
import {
  type ConductorContext,
  type ConductorSettings,
  DEFAULT_SETTINGS,
} from './context/context.ts'
import { JobQueue } from './context/job-queue.ts'
import { ProgressHub } from './context/progress.ts'
import { reclassifyAll } from './devices/classification.ts'
import { createFleetStore } from './fleet-store.ts'
import { alarmRulesIn } from './health/alarm-rules.ts'
import { emptyInbox } from './inbox.ts'
import { Looker } from './looker.ts'
import { refreshTrust } from './rollouts/releases.ts'

export interface ConductorOptions {
  /** Data directory of this planner. */
  readonly data: string
  readonly db: Db
  readonly artifacts: ArtifactStore
  readonly profiles: readonly Profile[]
  readonly trust: TrustAuthority
  /** Those of this host where absent. */
  readonly findCompilers?: () => Promise<CompilersHere>
  readonly settings?: Partial<ConductorSettings>
  readonly failPoints?: FailPoints
  readonly log: Logger
  readonly now?: () => Date
}

const HOUR_MS = 3_600_000
/** An agent's outbox is empty long before. */
const REPORTS_KEPT_MS = 7 * 24 * HOUR_MS
/** Days of how models do: five weeks, so that a month can be compared with the same days of the one before. */
const HEALTH_KEPT_MS = 35 * 24 * HOUR_MS

/**
 * Moves models through their stages and rollouts through their waves, whenever something is recorded and at every tick.
 * What it does follows from the database; what happened only says where to look, and now and then it looks everywhere.
 */
export class Conductor {
  readonly context: ConductorContext
  /** What the planner's MQTT side records into. */
  readonly store: FleetStore
  /** Where captured samples of devices go. */
  readonly samples: SampleStore
  readonly #stop = new AbortController()
  #link: FleetLink | undefined
  #timer: NodeJS.Timeout | undefined
  readonly #agenda = new Agenda()
  readonly #looker: Looker
  #running: Promise<void> | undefined
  #hasMail = false
  #prunedAt = 0
  #sweptAt = 0

  constructor(options: ConductorOptions) {
    const { data, db, artifacts, profiles, trust, log } = options
    const now = options.now ?? (() => new Date())
    const failPoints = options.failPoints ?? NO_FAIL_POINTS
    const settings = { ...DEFAULT_SETTINGS, ...options.settings }
    this.context = {
      db,
      artifacts,
      profiles,
      trust,
      findCompilers: options.findCompilers ?? (() => compilersHere()),
      log,
      failPoints,
      alarmRules: alarmRulesIn(data, log),
      now,
      settings,
      agenda: this.#agenda,
      jobs: new JobQueue(() => this.#tick(), settings.jobsAtOnce),
      costs: new CostBook(),
      progress: new ProgressHub(),
      workDir: join(data, 'work'),
      startedAt: now(),
      stopping: this.#stop.signal,
      nudge: (device) => this.#link?.nudge(device),
      meanwhile: async () => {
        await emptyInbox(this.context)
      },
    }
    this.#looker = new Looker(this.context)
    const { samplesQuotaBytes: quotaBytes, samplesKeptMs: keptMs } = settings
    this.samples = createSampleStore({ data, db, now, log, quotaBytes, keptMs })
    const onChange = () => this.#wake()
    this.store = createFleetStore({
      ...{ db, artifacts, trust, profiles, failPoints, now, log, onChange },
      agenda: this.#agenda,
    })
  }

  /** Takes up what the last planner left. Call before the fleet is listened to. */
  async recover(): Promise<void> {
    const { db, profiles, workDir } = this.context
    await rm(workDir, { recursive: true, force: true })
    await this.context.artifacts.forgetDrafts()
    await devices.forgetPresence(db)
    await variants.forgetHalfBuilt(db)
    await reclassifyAll(db, profiles)
  }

  /** From here on it works by itself. */
  start(link: FleetLink): void {
    this.#link = link
    this.#timer = setInterval(() => this.#tick(), this.context.settings.tickMs)
    this.poke()
  }

  /** Something changed, and nobody said what: looks at everything, now or as soon as the present look is done. */
  poke(): void {
    this.#agenda.everything()
    this.#wake()
  }

  /** Time went by. */
  #tick(): void {
    this.#agenda.clocks()
    const { now, settings } = this.context
    if (now().getTime() - this.#sweptAt >= settings.sweepMs) this.#agenda.everything()
    this.#wake()
  }

  #wake(): void {
    this.#hasMail = true
    if (this.#stop.signal.aborted || !this.#link) return
    this.#running ??= this.#run()
  }

  /** Resolves when nothing is left to do but to wait. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  async close(): Promise<void> {
    this.#stop.abort()
    clearInterval(this.#timer)
    await this.settled()
    await this.context.jobs.close()
  }

  async #run(): Promise<void> {
    while ((this.#hasMail || !this.#agenda.isEmpty) && !this.#stop.signal.aborted) {
      try {
        await this.#look()
      } catch (error) {
        // Nothing is lost: the next tick comes to the same steps.
        const reason = messageOf(error)
        if (!this.#stop.signal.aborted) this.context.log.error({ reason, error }, 'a step failed')
        break
      }
    }
    this.#running = undefined
  }

  async #look(): Promise<void> {
    const { context } = this
    this.#hasMail = false
    if (!(await emptyInbox(context))) this.#hasMail = true
    const due = this.#agenda.take()
    try {
      if (due.everything) this.#sweptAt = context.now().getTime()
      await this.#looker.look(due)
    } catch (error) {
      this.#agenda.putBack(due)
      throw error
    }
    await this.#prune()
  }

  async #prune(): Promise<void> {
    const now = this.context.now().getTime()
    if (now - this.#prunedAt < HOUR_MS) return
    this.#prunedAt = now
    await refreshTrust(this.context)
    await reports.forgetReports(this.context.db, new Date(now - REPORTS_KEPT_MS))
    const oldest = new Date(now - HEALTH_KEPT_MS).toISOString().slice(0, 10)
    await health.forgetDays(this.context.db, oldest)
    await this.samples.sweep()
  }
}
