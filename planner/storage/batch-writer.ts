/** So many at a time: one commit for all, and nobody waits for longer than that takes. */
const MOST = 256

interface Waiting<Item, Result> {
  readonly item: Item
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/**
 * What comes while a batch is being written waits, and is the next batch: one sync of the disk for all of it. A batch that
 * fails is written one by one, so that one bad item spoils no other.
 */
export class BatchWriter<Item, Result> {
  readonly #write: (items: readonly Item[]) => Promise<readonly Result[]>
  readonly #waiting: Waiting<Item, Result>[] = []
  #isRunning = false

  /** @param write all of them or none; answers in their order */
  constructor(write: (items: readonly Item[]) => Promise<readonly Result[]>) {
    this.#write = write
  }

  /** Resolves once it is written. */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject })
      if (this.#isRunning) return
      this.#isRunning = true
      // What is read from the sockets in this turn goes together.
      setImmediate(() => void this.#drain())
    })
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) await this.#writeAll(this.#waiting.splice(0, MOST))
    this.#isRunning = false
  }

  async #writeAll(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#write(batch.map(({ item }) => item))
      for (const [index, { resolve }] of batch.entries()) resolve(results[index] as Result)
    } catch (error) {
      if (batch.length > 1) for (const one of batch) await this.#writeAll([one])
      else for (const { reject } of batch) reject(error)
    }
  }
}
