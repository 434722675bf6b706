/** Heavy work one piece at a time, each known by its key: asking twice for the same is asking once. */
export class JobQueue {
  readonly #waiting: { readonly key: string; readonly run: () => Promise<void> }[] = []
  readonly #keys = new Set<string>()
  readonly #onSettled: () => void
  #running: Promise<void> | undefined
  #closed = false

  constructor(onSettled: () => void) {
    this.#onSettled = onSettled
  }

  /** `run` reports its own failures; what it throws is lost. */
  add(key: string, run: () => Promise<void>): void {
    if (this.#keys.has(key) || this.#closed) return
    this.#keys.add(key)
    this.#waiting.push({ key, run })
    this.#running ??= this.#drain()
  }

  has(key: string): boolean {
    return this.#keys.has(key)
  }

  /** Drops what waits; resolves when what runs has ended. */
  async close(): Promise<void> {
    this.#closed = true
    this.#waiting.length = 0
    await this.#running
  }

  async #drain(): Promise<void> {
    for (let job = this.#waiting.shift(); job !== undefined; job = this.#waiting.shift()) {
      await job.run().catch(() => {})
      this.#keys.delete(job.key)
      this.#onSettled()
    }
    this.#running = undefined
  }
}
