/** So many at once, then one per interval. */
export class TokenBucket {
  readonly #burst: number
  readonly #intervalMs: number
  readonly #now: () => number
  #tokens: number
  #filledAt: number

  constructor(burst: number, intervalMs: number, now: () => number) {
    this.#burst = burst
    this.#intervalMs = intervalMs
    this.#now = now
    this.#tokens = burst
    this.#filledAt = now()
  }

  take(): boolean {
    const elapsed = this.#now() - this.#filledAt
    this.#filledAt += elapsed
    this.#tokens = Math.min(this.#burst, this.#tokens + elapsed / this.#intervalMs)
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
