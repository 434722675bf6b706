import { rm } from 'node:fs/promises'
import type { Logger } from 'pino'
import type { FailPoints } from '../../shared/fail-points.ts'
import type { Cluster } from '../cluster/index.ts'
import type { ArtifactStore, Db } from '../storage/index.ts'
import { performJob, recordFailure } from './building/builds.ts'
import { DEFAULT_SETTINGS } from './context/context.ts'
import { ProgressHub } from './context/progress.ts'
import { SharedJobs } from './context/shared-jobs.ts'

export interface BuilderOptions {
  readonly db: Db
  readonly artifacts: ArtifactStore
  readonly cluster: Cluster
  /** Folder for half-done work; emptied at start. */
  readonly workDir: string
  /** Pieces of work at a time; default: as a planner. */
  readonly jobsAtOnce?: number | undefined
  readonly failPoints: FailPoints
  readonly log: Logger
}

/** Makes the files that planners of the same database ask for, and nothing else: it knows no device and no key. */
export class Builder {
  readonly progress = new ProgressHub()
  readonly #options: BuilderOptions
  readonly #jobs: SharedJobs
  readonly #stop = new AbortController()
  #timer: NodeJS.Timeout | undefined

  constructor(options: BuilderOptions) {
    this.#options = options
    const { jobsAtOnce, cluster, ...parts } = options
    const stopping = this.#stop.signal
    const context = () => ({
      ...parts,
      stopping,
      jobs: this.#jobs,
      progress: this.progress,
      now: () => new Date(),
    })
    this.#jobs = new SharedJobs({
      ...{ db: options.db, log: options.log, cluster, stopping },
      atOnce: jobsAtOnce ?? DEFAULT_SETTINGS.jobsAtOnce,
      perform: (job, fence) => performJob({ ...context(), fence }, job),
      giveUp: ({ variant }, why) => recordFailure(context(), variant, why),
      onSettled: () => {},
    })
  }

  async start(): Promise<void> {
    const { workDir, cluster } = this.#options
    await rm(workDir, { recursive: true, force: true })
    await cluster.start({
      led: () => {},
      gained: () => {},
      released: () => {},
      notice: ({ kind }) => {
        if (kind === 'jobs') this.#jobs.look()
      },
    })
    this.#timer = setInterval(() => this.#jobs.look(), DEFAULT_SETTINGS.tickMs)
    this.#jobs.look()
  }

  /** What is half done goes back to the others. */
  async close(): Promise<void> {
    this.#stop.abort()
    clearInterval(this.#timer)
    await this.#jobs.close()
  }
}
