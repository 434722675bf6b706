interface Job {
  readonly key: string
  readonly run: () => Promise<void>
}

/** Heavy work, a few pieces at a time, each known by its key: asking twice for the same is asking once. */
export class JobQueue {
  readonly #atOnce: number
  readonly #waiting: Job[] = []
  /** That wait or run. */
  readonly #keys = new Set<string>()
  readonly #running = new Map<string, Promise<void>>()
  readonly #onSettled: () => void
  #closed = false

  /** @param onSettled after each piece */
  constructor(onSettled: () => void, atOnce = 1) {
    this.#onSettled = onSettled
    this.#atOnce = atOnce
  }

  /** `run` reports its own failures; what it throws is lost. */
  add(key: string, run: () => Promise<void>): void {
    if (this.#keys.has(key) || this.#closed) return
    this.#keys.add(key)
    this.#waiting.push({ key, run })
    this.#fill()
  }

  has(key: string): boolean {
    return this.#keys.has(key)
  }

  /** A piece that another cannot go on without: done within that one, or waited for where it is under way. */
  part(key: string, run: () => Promise<void>): Promise<void> {
    return this.#running.get(key) ?? this.#start({ key, run })
  }

  /** Drops what waits; resolves when what runs has ended. */
  async close(): Promise<void> {
    this.#closed = true
    this.#waiting.length = 0
    while (this.#running.size > 0) await Promise.all(this.#running.values())
  }

  #fill(): void {
    while (this.#running.size < this.#atOnce) {
      const job = this.#waiting.shift()
      if (job === undefined) return
      const settled = this.#running.get(job.key) ?? this.#start(job)
      void settled.then(() => {
        this.#keys.delete(job.key)
        this.#onSettled()
        this.#fill()
      })
    }
  }

  #start({ key, run }: Job): Promise<void> {
    const running = run()
      .catch(() => {})
      .then(() => void this.#running.delete(key))
    this.#running.set(key, running)
    return running
  }
}
