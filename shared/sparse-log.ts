import type { Logger } from 'pino'
import { TokenBucket } from './token-bucket.ts'

const BURST = 20
const INTERVAL_MS = 5_000

/**
 * Warnings about what others do wrong: so many at once, then one per interval, which tells how many
 * were left out. Whoever floods us fills no disk.
 */
export class SparseLog {
  readonly #log: Pick<Logger, 'warn'>
  readonly #bucket: TokenBucket
  #leftOut = 0

  constructor(log: Pick<Logger, 'warn'>, now: () => number = () => performance.now()) {
    this.#log = log
    this.#bucket = new TokenBucket(BURST, INTERVAL_MS, now)
  }

  warn(details: Readonly<Record<string, unknown>>, message: string): void {
    if (!this.#bucket.take()) {
      this.#leftOut += 1
      return
    }
    const leftOut = this.#leftOut > 0 ? { leftOut: this.#leftOut } : {}
    this.#leftOut = 0
    this.#log.warn({ ...details, ...leftOut }, message)
  }
}
