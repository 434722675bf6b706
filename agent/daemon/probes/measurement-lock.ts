import type { Gate } from '../../artifacts/index.ts'

/**
 * One measurement at a time, and downloads pause while it runs: probes and self-tests never disturb
 * each other, and the network disturbs neither.
 */
export class MeasurementLock implements Gate {
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0
  readonly #listeners = new Set<() => void>()

  get open(): boolean {
    return this.#waiting === 0
  }

  onOpen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Waits for its turn; an aborted wait does no work. */
  async during<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    this.#waiting += 1
    const turn = this.#last.then(() => {
      signal.throwIfAborted()
      return work()
    })
    this.#last = turn.catch(() => {})
    try {
      return await turn
    } finally {
      this.#waiting -= 1
      if (this.open) for (const listener of this.#listeners) listener()
    }
  }
}
