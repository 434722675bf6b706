import type { Model } from '../../storage/index.ts'
import { JobQueue } from './job-queue.ts'

/** A build or an evaluation of a variant; what it needs beside these the database says. */
export interface Job {
  readonly kind: 'build' | 'evaluate'
  readonly model: Model
  /** Key of the variant. */
  readonly variant: string
}

/** Heavy work, a few pieces at a time, in this process or in any of several. */
export interface Jobs {
  /** Asking twice for the same is asking once. What comes of it is in the database. */
  add(job: Job): void
  /** One that another cannot go on without: done within that one, or waited for where it is under way. */
  part(job: Job): Promise<void>
  /** Time went by. */
  look(): void
  close(): Promise<void>
}

/** One name for a piece of work, whoever asks: a build is the same for all revisions of one source. */
export function nameOfJob({ kind, model, variant }: Job): string {
  return kind === 'build' ? `build ${variant}` : `evaluate ${variant} ${model.reference.whole}`
}

/** All in this process. */
export class OwnJobs implements Jobs {
  readonly #queue: JobQueue
  readonly #perform: (job: Job) => Promise<void>

  /** @param perform reports its own failures */
  constructor(
    perform: (job: Job) => Promise<void>,
    { atOnce, onSettled }: { readonly atOnce: number; readonly onSettled: () => void },
  ) {
    this.#perform = perform
    this.#queue = new JobQueue(onSettled, atOnce)
  }

  add(job: Job): void {
    this.#queue.add(nameOfJob(job), () => this.#perform(job))
  }

  part(job: Job): Promise<void> {
    return this.#queue.part(nameOfJob(job), () => this.#perform(job))
  }

  look(): void {}

  close(): Promise<void> {
    return this.#queue.close()
  }
}
