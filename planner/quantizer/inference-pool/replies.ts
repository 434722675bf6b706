import type { Worker } from 'node:worker_threads'
import { messageOf } from '../../../shared/errors.ts'
import type { FromPool } from './messages.ts'

/** Replies of a thread, each to who has waited longest; one that died answers every further question with why. */
export class Replies {
  readonly #arrived: FromPool[] = []
  readonly #waiting: ((reply: FromPool) => void)[] = []
  #dead: FromPool | undefined

  constructor(worker: Worker) {
    worker.on('message', (reply: FromPool) => {
      const wake = this.#waiting.shift()
      if (wake === undefined) this.#arrived.push(reply)
      else wake(reply)
    })
    worker.on('error', (error) => this.#die(messageOf(error)))
    worker.on('exit', () => this.#die('the thread that runs it stopped without an answer'))
  }

  next(): Promise<FromPool> {
    const reply = this.#arrived.shift() ?? this.#dead
    if (reply !== undefined) return Promise.resolve(reply)
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }

  #die(message: string): void {
    this.#dead ??= { kind: 'failed', message }
    for (const wake of this.#waiting.splice(0)) wake(this.#dead)
  }
}
