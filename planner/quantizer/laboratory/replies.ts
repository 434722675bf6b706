import type { Worker } from 'node:worker_threads'
import { messageOf } from '../../../shared/errors.ts'
import type { FromLaboratory } from './messages.ts'

/** Replies of a thread in order; one that died answers every further question with why. */
export class Replies {
  readonly #arrived: FromLaboratory[] = []
  #dead: FromLaboratory | undefined
  #wake: () => void = () => {}

  constructor(worker: Worker) {
    worker.on('message', (reply: FromLaboratory) => {
      this.#arrived.push(reply)
      this.#wake()
    })
    worker.on('error', (error) => this.#die(messageOf(error)))
    worker.on('exit', () => this.#die('the thread that runs it stopped without an answer'))
  }

  async next(): Promise<FromLaboratory> {
    for (;;) {
      const reply = this.#arrived.shift() ?? this.#dead
      if (reply !== undefined) return reply
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #die(message: string): void {
    this.#dead ??= { kind: 'failed', message }
    this.#wake()
  }
}
