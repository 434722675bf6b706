/** So many bytes a second, and no burst: who comes gets the next free moment. */
export class Pace {
  readonly #bytesPerSecond: number
  readonly #now: () => number
  #free = 0

  constructor(bytesPerSecond: number, now: () => number) {
    this.#bytesPerSecond = bytesPerSecond
    this.#now = now
  }

  /** How long these bytes must wait, ms. They have their place from here on. */
  reserve(bytes: number): number {
    const at = Math.max(this.#free, this.#now())
    this.#free = at + (1000 * bytes) / this.#bytesPerSecond
    return at - this.#now()
  }
}
