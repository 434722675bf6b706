/** Tasks of one device, one after another and in order; bounded, because devices may be hostile. */
export class Mailbox {
  readonly #most: number
  readonly #onError: (error: unknown) => void
  readonly #onIdle: () => void
  readonly #tasks: (() => Promise<void>)[] = []
  #running: Promise<void> | undefined

  constructor(most: number, onError: (error: unknown) => void, onIdle: () => void) {
    this.#most = most
    this.#onError = onError
    this.#onIdle = onIdle
  }

  /** False when it is full: the task is dropped. */
  post(task: () => Promise<void>): boolean {
    if (this.#tasks.length >= this.#most) return false
    this.#tasks.push(task)
    this.#running ??= this.#run()
    return true
  }

  /** All that was posted is done. */
  async idle(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    for (let task = this.#tasks.shift(); task !== undefined; task = this.#tasks.shift()) {
      try {
        await task()
      } catch (error) {
        this.#onError(error)
      }
      if (this.#tasks.length === 0) this.#onIdle()
    }
    this.#running = undefined
  }
}
