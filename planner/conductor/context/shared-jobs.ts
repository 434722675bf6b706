import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { messageOf } from '../../../shared/errors.ts'
import { type Cluster, ClusterError, NOTHING_DUE } from '../../cluster/index.ts'
import { type Db, models, jobs as rows, type StoredJob } from '../../storage/index.ts'
import { type Job, type Jobs, nameOfJob } from './jobs.ts'

export interface SharedJobsOptions {
  readonly db: Db
  readonly cluster: Cluster
  /** Pieces at a time here; 0: this process only asks for them. */
  readonly atOnce: number
  readonly stopping: AbortSignal
  readonly log: Logger
  /** @param fence throws inside a transaction where the job is somebody else's by now */
  readonly perform: (job: Job, fence: (trx: Db) => Promise<void>) => Promise<void>
  /** Whoever began it so many times did not come back: it is not begun again. */
  readonly giveUp: (job: Job, why: string) => Promise<void>
  /** After each piece. */
  readonly onSettled: () => void
}

/** A build that ends the process that makes it, for want of memory, ends no more than so many. */
const MOST_ATTEMPTS = 4
const LOOK_EVERY_MS = 500
/** Asked for again no sooner: a row that is there is left alone, but asking costs. */
const ASKED_EVERY_MS = 5_000

/**
 * Jobs as rows that any process of the cluster takes: with `SKIP LOCKED`, and free again when who took them is gone. No
 * queue of its own (pg-boss, graphile-worker): whether a build is needed the rows of variants say, SQLite has to do the
 * same alone, and who is there is told by the leases that share out the devices.
 */
export class SharedJobs implements Jobs {
  readonly #options: SharedJobsOptions
  readonly #asked = new Map<string, number>()
  readonly #running = new Map<string, Promise<void>>()
  #looking = false
  #again = false
  #closed = false

  constructor(options: SharedJobsOptions) {
    this.#options = options
  }

  add(job: Job): void {
    const id = nameOfJob(job)
    const now = performance.now()
    if (now - (this.#asked.get(id) ?? Number.NEGATIVE_INFINITY) < ASKED_EVERY_MS) return
    this.#asked.set(id, now)
    this.#ask(job).then(
      () => {
        this.#options.cluster.tell({ kind: 'jobs' })
        this.look()
      },
      (error) => this.#options.log.warn({ reason: messageOf(error) }, 'a job was not asked for'),
    )
  }

  async part(job: Job): Promise<void> {
    const { db, cluster, stopping } = this.#options
    const id = nameOfJob(job)
    await this.#ask(job)
    while (!stopping.aborted) {
      const taken = await rows.takeJob(db, cluster.id, id)
      if (taken) return await this.#run(taken)
      if (!(await rows.hasJob(db, id))) return
      await sleep(LOOK_EVERY_MS, undefined, { signal: stopping }).catch(() => {})
    }
  }

  /** Takes what it has room for. */
  look(): void {
    this.#again = true
    if (!this.#looking) void this.#fill()
  }

  async close(): Promise<void> {
    this.#closed = true
    while (this.#running.size > 0) await Promise.all(this.#running.values())
  }

  #ask(job: Job): Promise<void> {
    const { kind, model, variant } = job
    return rows.addJob(this.#options.db, { id: nameOfJob(job), kind, model: model.id, variant })
  }

  async #fill(): Promise<void> {
    this.#looking = true
    const { db, cluster, atOnce, log } = this.#options
    try {
      while (this.#again && !this.#closed) {
        this.#again = false
        while (this.#running.size < atOnce && !this.#closed) {
          const job = await rows.takeJob(db, cluster.id)
          if (!job) break
          const running = this.#run(job)
            .catch((error) => log.warn({ reason: messageOf(error) }, 'a job ended badly'))
            .then(() => {
              this.#running.delete(job.id)
              this.look()
            })
          this.#running.set(job.id, running)
        }
      }
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'no jobs were looked for')
    } finally {
      this.#looking = false
    }
  }

  async #run(taken: StoredJob): Promise<void> {
    const { db, cluster, stopping, onSettled } = this.#options
    const { id } = taken
    let isDone = false
    try {
      await this.#do(taken)
      isDone = !stopping.aborted
    } finally {
      if (isDone) await rows.endJob(db, cluster.id, id)
      else await rows.returnJob(db, cluster.id, id)
      this.#asked.delete(id)
      onSettled()
      cluster.tell({ kind: 'look', due: { ...NOTHING_DUE, clocks: true } })
    }
  }

  async #do(taken: StoredJob): Promise<void> {
    const { db, cluster, perform, giveUp, log } = this.#options
    const { id, kind, variant, attempts } = taken
    const model = await models.modelById(db, taken.model)
    if (model) {
      const job = { kind, model, variant }
      if (attempts > MOST_ATTEMPTS) {
        const why = `whoever made it ended meanwhile, ${MOST_ATTEMPTS} times: it takes more memory than there is, or crashes its process`
        log.error({ job: id }, why)
        await giveUp(job, why)
      } else {
        await perform(job, async (trx) => {
          if (await rows.isDoing(trx, cluster.id, id)) return
          throw new ClusterError('superseded', `${id} is made by another process by now`)
        })
      }
    }
  }
}
