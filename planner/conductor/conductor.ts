import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { messageOf } from '../../shared/errors.ts'
import { type FailPoints, NO_FAIL_POINTS } from '../../shared/fail-points.ts'
import type { Profile } from '../classes/index.ts'
import { type CompilersHere, compilersHere } from '../compilers/index.ts'
import type { FleetLink, FleetStore } from '../fleet/index.ts'
import {
  type ArtifactStore,
  type Db,
  devices,
  models,
  reports,
  rollouts,
  variants,
} from '../storage/index.ts'
import type { TrustAuthority } from '../trust/index.ts'
import {
  type ConductorContext,
  type ConductorSettings,
  DEFAULT_SETTINGS,
} from './context/context.ts'
import { JobQueue } from './context/job-queue.ts'
import { ProgressHub } from './context/progress.ts'
import { createFleetStore, recordClass } from './fleet-store.ts'
import { emptyInbox } from './inbox.ts'
import { advanceModel } from './pipeline/advance-model.ts'
import { advanceRollout, noteReason } from './rollouts/advance-rollout.ts'
import { endPauses } from './rollouts/pauses.ts'
import { advanceQueue } from './rollouts/queue.ts'
import { advanceReleases, refreshTrust, WAITS_FOR_RELEASE } from './rollouts/releases.ts'
import { sendBack } from './rollouts/withdrawal.ts'
import { advancePackages } from './runtimes/advance-packages.ts'

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

/**
 * Moves models through their stages and rollouts through their waves, whenever something is recorded and at
 * every tick. It remembers nothing: what it does follows from the database.
 */
export class Conductor {
  readonly context: ConductorContext
  /** What the planner's MQTT side records into. */
  readonly store: FleetStore
  readonly #stop = new AbortController()
  #link: FleetLink | undefined
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #again = false
  #prunedAt = 0

  constructor(options: ConductorOptions) {
    const { data, db, artifacts, profiles, trust, log } = options
    const now = options.now ?? (() => new Date())
    const failPoints = options.failPoints ?? NO_FAIL_POINTS
    this.context = {
      db,
      artifacts,
      profiles,
      trust,
      findCompilers: options.findCompilers ?? (() => compilersHere()),
      log,
      failPoints,
      now,
      settings: { ...DEFAULT_SETTINGS, ...options.settings },
      jobs: new JobQueue(() => this.poke()),
      progress: new ProgressHub(),
      workDir: join(data, 'work'),
      startedAt: now(),
      stopping: this.#stop.signal,
      nudge: (device) => this.#link?.nudge(device),
    }
    const onChange = () => this.poke()
    this.store = createFleetStore({
      ...{ db, artifacts, trust, profiles, failPoints, now, log, onChange },
    })
  }

  /** Takes up what the last planner left. Call before the fleet is listened to. */
  async recover(): Promise<void> {
    const { db, profiles, workDir } = this.context
    await rm(workDir, { recursive: true, force: true })
    await this.context.artifacts.forgetDrafts()
    await devices.forgetPresence(db)
    await variants.forgetHalfBuilt(db)
    for (const device of await devices.listDevices(db)) await recordClass(db, device, profiles)
  }

  /** From here on it works by itself. */
  start(link: FleetLink): void {
    this.#link = link
    this.#timer = setInterval(() => this.poke(), this.context.settings.tickMs)
    this.poke()
  }

  /** Something changed: look again, now or as soon as the present look is done. */
  poke(): void {
    if (this.#stop.signal.aborted || !this.#link) return
    this.#again = true
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
    while (this.#again && !this.#stop.signal.aborted) {
      this.#again = false
      try {
        await this.#look()
      } catch (error) {
        // Nothing is lost: the next look comes to the same steps.
        const reason = messageOf(error)
        if (!this.#stop.signal.aborted) this.context.log.error({ reason, error }, 'a step failed')
      }
    }
    this.#running = undefined
  }

  async #look(): Promise<void> {
    const { context } = this
    if (!(await emptyInbox(context))) this.#again = true
    for (const model of await models.drivenModels(context.db)) await advanceModel(context, model)
    await endPauses(context)
    const waiting = await advanceReleases(context)
    for (const rollout of await rollouts.openRollouts(context.db)) {
      if (waiting.has(rollout.id)) await noteReason(context, rollout, WAITS_FOR_RELEASE)
      else await advanceRollout(context, rollout)
    }
    await sendBack(context)
    await advanceQueue(context)
    await advancePackages(context)
    await this.#prune()
  }

  async #prune(): Promise<void> {
    const now = this.context.now().getTime()
    if (now - this.#prunedAt < HOUR_MS) return
    this.#prunedAt = now
    await refreshTrust(this.context)
    await reports.forgetReports(this.context.db, new Date(now - REPORTS_KEPT_MS))
  }
}
