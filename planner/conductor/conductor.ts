import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { messageOf } from '../../shared/errors.ts'
import { type FailPoints, NO_FAIL_POINTS } from '../../shared/fail-points.ts'
import type { Profile } from '../classes/index.ts'
import { ALONE, type Cluster, type ClusterListener, type Notice } from '../cluster/index.ts'
import { type CompilersHere, compilersHere } from '../compilers/index.ts'
import type { FleetLink, FleetStore } from '../fleet/index.ts'
import { createSampleStore, type SampleStore } from '../samples/index.ts'
import {
  type ArtifactStore,
  type Db,
  devices,
  jobs as jobRows,
  orders,
  variants,
} from '../storage/index.ts'
import type { TrustAuthority } from '../trust/index.ts'
import { performJob, recordFailure } from './building/builds.ts'
import { CostBook } from './building/cost-history.ts'
import { Agenda } from './context/agenda.ts'
import {
  type ConductorContext,
  type ConductorSettings,
  DEFAULT_SETTINGS,
} from './context/context.ts'
import { type Job, OwnJobs } from './context/jobs.ts'
import { ProgressHub } from './context/progress.ts'
import { SharedJobs } from './context/shared-jobs.ts'
import { reclassifyAll } from './devices/classification.ts'
import { noteAbsent, ownedOf } from './devices/taken-over.ts'
import { createFleetStore } from './fleet-store.ts'
import { alarmRulesIn } from './health/alarm-rules.ts'
import { emptyInbox } from './inbox.ts'
import { Looker } from './looker.ts'
import { prune } from './retention.ts'
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
  /** Other planners on the same database; default: none. */
  readonly cluster?: Cluster
}

/** What is no longer believed of a device. */
interface Revoked {
  readonly device: string
  readonly serials: readonly string[]
}

const HOUR_MS = 3_600_000

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
  readonly #cluster: Cluster
  #link: FleetLink | undefined
  #timer: NodeJS.Timeout | undefined
  readonly #agenda = new Agenda()
  /** The context of what only who leads may do. */
  readonly #leading: ConductorContext
  readonly #looker: Looker
  #running: Promise<void> | undefined
  readonly #revoked = new Set<(revocation: Revoked) => void>()
  #hasMail = false
  #prunedAt = 0
  #pruning: Promise<void> | undefined
  #sweptAt = 0

  constructor(options: ConductorOptions) {
    const { data, db, artifacts, profiles, trust, log, cluster = ALONE } = options
    this.#cluster = cluster
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
      leads: () => cluster.leads(),
      settings,
      agenda: this.#agenda,
      jobs: this.#jobsFor(options, settings),
      costs: new CostBook(),
      progress: new ProgressHub(),
      workDir: join(data, 'work'),
      startedAt: now(),
      stopping: this.#stop.signal,
      nudge: (device) => {
        if (cluster.owns(device)) this.#link?.nudge(device)
        else cluster.tell({ kind: 'nudge', devices: [device] })
      },
      meanwhile: async () => {
        await emptyInbox(this.#leading)
      },
    }
    this.#leading = { ...this.context, fence: (trx) => cluster.fence(trx) }
    this.#looker = new Looker(this.#leading)
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
    // What others are doing is not left.
    if (!this.#cluster.isFirst) return
    await this.context.artifacts.forgetDrafts()
    await devices.forgetPresence(db)
    await variants.forgetHalfBuilt(db)
    if (!this.#cluster.isShared) await jobRows.forgetJobs(db)
    await reclassifyAll(db, profiles)
  }

  /** From here on it works by itself; among several, on its share. */
  async start(link: FleetLink): Promise<void> {
    this.#link = link
    this.#timer = setInterval(() => this.#tick(), this.context.settings.tickMs)
    this.poke()
    await this.#cluster.start(this.#listener())
  }

  /** Something changed, and nobody said what: looks at everything, now or as soon as the present look is done. */
  poke(): void {
    this.#agenda.everything()
    this.#wake()
  }

  /** Time went by. */
  #tick(): void {
    this.context.jobs.look()
    if (!this.#cluster.leads()) return
    this.#agenda.clocks()
    const { now, settings } = this.context
    if (now().getTime() - this.#sweptAt >= settings.sweepMs) this.#agenda.everything()
    this.#wake()
  }

  #wake(): void {
    this.#hasMail = true
    if (this.#stop.signal.aborted || !this.#link) return
    if (this.#cluster.leads()) this.#running ??= this.#run()
    else this.#handOver()
  }

  /** Resolves when nothing is left to do but to wait. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  /** Told of certificates that another planner revoked. */
  onRevoked(listener: (revocation: Revoked) => void): void {
    this.#revoked.add(listener)
  }

  async close(): Promise<void> {
    this.#stop.abort()
    clearInterval(this.#timer)
    await this.settled()
    await this.#pruning
    await this.context.jobs.close()
  }

  async #run(): Promise<void> {
    const mayGoOn = () => !this.#stop.signal.aborted && this.#cluster.leads()
    while ((this.#hasMail || !this.#agenda.isEmpty) && mayGoOn()) {
      try {
        await this.#look()
      } catch (error) {
        // Nothing is lost: the next tick comes to the same steps.
        const reason = messageOf(error)
        if (mayGoOn()) this.context.log.error({ reason, error }, 'a step failed')
        break
      }
    }
    this.#running = undefined
  }

  async #look(): Promise<void> {
    const context = this.#leading
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
    const { now, log, settings } = this.context
    if (now().getTime() - this.#prunedAt < HOUR_MS) return
    this.#prunedAt = now().getTime()
    await refreshTrust(this.#leading)
    await this.samples.sweep()
    // Beside the work, not within it: what a year left takes its time.
    this.#pruning ??= prune(this.context.db, {
      retention: settings.retention,
      now: now(),
      signal: this.#stop.signal,
      fence: this.#leading.fence,
    })
      .then((removed) => log.info({ removed }, 'what is older than it is kept was forgotten'))
      .catch((error) =>
        log.warn({ reason: messageOf(error) }, 'forgetting what is old goes on later'),
      )
      .then(() => {
        this.#pruning = undefined
      })
  }

  /** What is to be looked at is for who leads; where nobody does, the next one begins with everything. */
  #handOver(): void {
    if (this.#hasMail) this.#cluster.tell({ kind: 'mail' })
    this.#hasMail = false
    if (!this.#agenda.isEmpty) this.#cluster.tell({ kind: 'look', due: this.#agenda.take() })
  }

  #jobsFor({ db, log, cluster = ALONE }: ConductorOptions, { jobsAtOnce }: ConductorSettings) {
    const perform = (job: Job) => performJob(this.context, job)
    if (!cluster.isShared) {
      return new OwnJobs(perform, { atOnce: jobsAtOnce, onSettled: () => this.#tick() })
    }
    return new SharedJobs({
      ...{ db, log, cluster, atOnce: jobsAtOnce, stopping: this.#stop.signal },
      perform: (job, fence) => performJob({ ...this.context, fence }, job),
      giveUp: ({ variant }, why) => recordFailure(this.context, variant, why),
      onSettled: () => this.#tick(),
    })
  }

  #listener(): ClusterListener {
    return {
      led: () => {
        void this.#begin()
      },
      gained: (shards) => {
        void this.#takeOver(shards)
      },
      released: () => this.#link?.letGo(),
      notice: (notice) => this.#heed(notice),
    }
  }

  /** Leads from now on: profiles may be other ones here, and nobody says what was seen last. */
  async #begin(): Promise<void> {
    try {
      await reclassifyAll(this.context.db, this.context.profiles)
    } catch (error) {
      this.context.log.error({ reason: messageOf(error) }, 'devices were not classified again')
    }
    this.poke()
    await this.#nudgeAll()
  }

  /** Devices of these parts are asked who is there; who does not answer is not. */
  async #takeOver(shards: ReadonlySet<number>): Promise<void> {
    const { db, log, settings, now } = this.context
    try {
      const taken = await ownedOf(db, shards)
      this.#link?.ask(taken)
      await sleep(settings.settleMs, undefined, { signal: this.#stop.signal, ref: false })
      const isHere = (device: string) =>
        !this.#cluster.owns(device) || this.#link?.hears(device) === true
      const gone = await noteAbsent(db, taken, isHere, now())
      for (const device of gone) this.#agenda.device(device)
      if (gone.length > 0) this.#wake()
    } catch (error) {
      if (!this.#stop.signal.aborted)
        log.error({ reason: messageOf(error) }, 'devices were not taken over')
    }
  }

  #heed(notice: Notice): void {
    switch (notice.kind) {
      case 'mail':
        if (this.#cluster.leads()) this.#wake()
        return
      case 'look':
        if (!this.#cluster.leads()) return
        this.#agenda.putBack(notice.due)
        this.#wake()
        return
      case 'nudge':
        for (const device of notice.devices) {
          if (this.#cluster.owns(device)) this.#link?.nudge(device)
        }
        return
      case 'led':
        void this.#nudgeAll()
        return
      case 'jobs':
        this.context.jobs.look()
        return
      case 'revoked':
        for (const listener of this.#revoked) listener(notice)
        return
    }
  }

  /** Whoever led before may have ended between writing an order and telling of it. */
  async #nudgeAll(): Promise<void> {
    try {
      const waiting = await orders.devicesWithOpenOrders(this.context.db)
      for (const device of waiting) if (this.#cluster.owns(device)) this.#link?.nudge(device)
    } catch (error) {
      this.context.log.error({ reason: messageOf(error) }, 'orders that wait were not looked for')
    }
  }
}
