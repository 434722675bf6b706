/** One after another, in the order of asking. Work that fails keeps nobody else from its turn. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve()
  #size = 0

  /** How many wait or are at work. */
  get size(): number {
    return this.#size
  }

  run<T>(work: () => T | Promise<T>): Promise<T> {
    this.#size += 1
    const turn = this.#last.then(work).finally(() => {
      this.#size -= 1
    })
    this.#last = turn.catch(() => undefined)
    return turn
  }

  /** Resolves when all that was asked for until now is over, whatever came of it. */
  async settled(): Promise<void> {
    await this.#last
  }
}
