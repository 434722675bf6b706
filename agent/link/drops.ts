import type { Log } from './log.ts'

/** Counts what was dropped and why. Logs the 1st, 2nd, 4th, 8th … of a kind: a flood fills no disk. */
export class Drops {
  readonly #log: Log
  readonly #counts = new Map<string, number>()

  constructor(log: Log) {
    this.#log = log
  }

  count(code: string, message: string): void {
    const count = (this.#counts.get(code) ?? 0) + 1
    this.#counts.set(code, count)
    const isPowerOfTwo = (count & (count - 1)) === 0
    if (isPowerOfTwo) this.#log.warn({ code, count }, `dropped a message: ${message}`)
  }

  counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts)
  }
}
