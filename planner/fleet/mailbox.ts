/** Whether a task may be under way with others of its kind, or waits for all before it, and the next for it. */
export type Manner = 'together' | 'alone'

interface Task {
  readonly begin: () => Promise<void>
  readonly manner: Manner
}

/** Tasks of one device, begun in order; bounded, because devices may be hostile. */
export class Mailbox {
  readonly #most: number
  readonly #onError: (error: unknown) => void
  readonly #tasks: Task[] = []
  readonly #whenIdle: (() => void)[] = []
  #underWay = 0
  #isAlone = false

  constructor(most: number, onError: (error: unknown) => void) {
    this.#most = most
    this.#onError = onError
  }

  /** False when it is full: the task is dropped. */
  post(manner: Manner, begin: () => Promise<void>): boolean {
    if (this.#tasks.length + this.#underWay >= this.#most) return false
    const task = { begin, manner }
    if (this.#tasks.length === 0 && this.#mayBegin(task)) this.#begin(task)
    else this.#tasks.push(task)
    return true
  }

  /** All that was posted is done. */
  idle(): Promise<void> {
    if (this.#underWay === 0) return Promise.resolve()
    return new Promise((resolve) => this.#whenIdle.push(resolve))
  }

  #beginNext(): void {
    for (let task = this.#tasks[0]; task && this.#mayBegin(task); task = this.#tasks[0]) {
      this.#tasks.shift()
      this.#begin(task)
    }
  }

  #begin(task: Task): void {
    this.#underWay += 1
    this.#isAlone = task.manner === 'alone'
    void this.#perform(task)
  }

  #mayBegin({ manner }: Task): boolean {
    return this.#underWay === 0 || (manner === 'together' && !this.#isAlone)
  }

  async #perform({ begin }: Task): Promise<void> {
    try {
      await begin()
    } catch (error) {
      this.#onError(error)
    }
    this.#underWay -= 1
    this.#beginNext()
    if (this.#underWay === 0) for (const resolve of this.#whenIdle.splice(0)) resolve()
  }
}
