/** At most so often a page asks again because something moved. */
export const CALM_MS = 1_000
/** After so long who got no answer asks again. */
export const RETRY_MS = 3_000

/** One question at a time; who asks while one is under way is heard once after it. */
export class Turns {
  readonly #work: (signal: AbortSignal) => Promise<void>
  readonly #closed = new AbortController()
  #timer: ReturnType<typeof setTimeout> | undefined
  #isBusy = false
  #isWanted = false

  constructor(work: (signal: AbortSignal) => Promise<void>) {
    this.#work = work
  }

  soon(delayMs: number): void {
    if (this.#closed.signal.aborted) return
    if (this.#timer !== undefined && delayMs > 0) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#turn(), delayMs)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#closed.abort()
  }

  async #turn(): Promise<void> {
    this.#timer = undefined
    if (this.#isBusy) {
      this.#isWanted = true
      return
    }
    this.#isBusy = true
    await this.#work(this.#closed.signal)
    this.#isBusy = false
    if (!this.#isWanted || this.#closed.signal.aborted) return
    this.#isWanted = false
    this.soon(0)
  }
}
