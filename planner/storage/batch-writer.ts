/** So many at a time: one commit for all, and nobody waits for longer than that takes. */
const MOST = 256
/** After so many at once as many more are to be expected: then more of them are gathered. */
const CROWD = 16
const CROWD_FACTOR = 4

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
  readonly #gatherMs: number
  readonly #waiting: Waiting<Item, Result>[] = []
  #isWriting = false
  #beganAt = Number.NEGATIVE_INFINITY
  #restMs = 0
  #timer: NodeJS.Timeout | undefined
  #isDue = false

  /**
   * @param write all of them or none; answers in their order
   * @param gatherMs batches that are not full begin so far apart: whoever comes alone is written at once, and of many that
   *   come one after another nobody waits longer than this; in a crowd four times as long, since each batch has its price
   */
  constructor(write: (items: readonly Item[]) => Promise<readonly Result[]>, gatherMs = 0) {
    this.#write = write
    this.#gatherMs = gatherMs
  }

  /** Resolves once it is written. */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject })
      if (!this.#isWriting) this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#isDue || this.#waiting.length === 0) return
    const restMs = this.#beganAt + this.#restMs - performance.now()
    if (restMs <= 0 || this.#waiting.length >= MOST) {
      clearTimeout(this.#timer)
      this.#isDue = true
      // What is read from the sockets in this turn goes together.
      setImmediate(() => void this.#writeNext())
    } else this.#timer ??= setTimeout(() => void this.#writeNext(), restMs)
  }

  async #writeNext(): Promise<void> {
    this.#isDue = false
    this.#timer = undefined
    this.#isWriting = true
    this.#beganAt = performance.now()
    const batch = this.#waiting.splice(0, MOST)
    this.#restMs = batch.length < CROWD ? this.#gatherMs : CROWD_FACTOR * this.#gatherMs
    await this.#writeAll(batch)
    this.#isWriting = false
    this.#schedule()
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
