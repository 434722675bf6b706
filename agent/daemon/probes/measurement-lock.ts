import { SerialQueue } from '../../../shared/serial-queue.ts'
import type { Gate } from '../../artifacts/index.ts'

/**
 * One measurement at a time, and downloads pause while it runs: probes and self-tests never disturb
 * each other, and the network disturbs neither.
 */
export class MeasurementLock implements Gate {
  readonly #queue = new SerialQueue()
  readonly #listeners = new Set<() => void>()

  get open(): boolean {
    return this.#queue.size === 0
  }

  onOpen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Waits for its turn; an aborted wait does no work. */
  async during<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    try {
      return await this.#queue.run(() => {
        signal.throwIfAborted()
        return work()
      })
    } finally {
      if (this.open) for (const listener of this.#listeners) listener()
    }
  }
}
