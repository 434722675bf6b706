/** How far back it is looked, ms. */
const WINDOW_MS = 3_600_000
/** Told again after so long, ms. */
const TOLD_EVERY_MS = 600_000
/** Starts that are remembered: two machines, and those of them that were restarted. */
const STARTS_KEPT = 8
/** Once, a birth may have been late. */
const RETURNS = 2
const NONE: readonly never[] = []

/**
 * Two machines with one identity, as a copied disk makes them: a broker lets one client of a name in and puts the other
 * out (MQTT 3.1.1 §3.1.4-2), so that their sessions take turns. Starts of an agent are random (`Epoch`): one that comes
 * back after another is a second process, not a restart.
 */
export class Doubles {
  readonly #now: () => number
  /** The present one last. Most devices have one. */
  #starts: readonly string[] = NONE
  #returns: readonly number[] = NONE
  #toldAt = Number.NEGATIVE_INFINITY

  /** @param now monotonic ms */
  constructor(now: () => number) {
    this.#now = now
  }

  /** A birth of this start. True: there are two, and it is time to say so. */
  take(start: string): boolean {
    if (start === this.#starts.at(-1)) return false
    const now = this.#now()
    const isBack = this.#starts.includes(start)
    this.#starts = [...this.#starts.filter((one) => one !== start), start].slice(-STARTS_KEPT)
    const returns = isBack ? [...this.#returns, now] : this.#returns
    this.#returns = returns.filter((at) => now - at < WINDOW_MS)
    if (this.#returns.length < RETURNS || now - this.#toldAt < TOLD_EVERY_MS) return false
    this.#toldAt = now
    return true
  }
}
