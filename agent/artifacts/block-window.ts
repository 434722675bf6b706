/** Patience before anything is known about the way to the planner, ms. */
const FIRST_PATIENCE_MS = 10_000
const LEAST_PATIENCE_MS = 1_000
const MOST_PATIENCE_MS = 60_000
/** A pause this many times the longest recent one means that blocks were lost. */
const PAUSE_FACTOR = 8
/** How fast a long pause is forgotten, per landing. */
const PAUSE_MEMORY = 0.9

interface Asked {
  readonly serial: number
}

/**
 * The credit window over the blocks of one artifact: which to ask for next, which are lost. Pure but
 * for its own counters; `now` is monotonic time in ms.
 *
 * Blocks travel at QoS 0: one is lost when twice a window of later asked blocks has landed before it,
 * or when nothing landed for longer than the way's own rhythm explains. Silence halves the window,
 * as in TCP (RFC 5681): a slow link must not be filled with repeats.
 */
export class BlockWindow {
  readonly #most: number
  #size: number
  readonly #done: Uint8Array
  #remaining: number
  #cursor = 0
  readonly #asked = new Map<number, Asked>()
  readonly #writing = new Set<number>()
  readonly #again = new Set<number>()
  #serial = 0
  #latestLanded = 0
  #idleSince = 0
  #longestPause: number | undefined
  #silences = 0

  constructor(count: number, size: number, present: Iterable<number> = []) {
    this.#most = size
    this.#size = size
    this.#done = new Uint8Array(count)
    this.#remaining = count
    for (const index of present) this.settled(index)
  }

  get remaining(): number {
    return this.#remaining
  }

  /** Blocks asked for or being written: what the planner may still send plus what memory holds. */
  get outstanding(): number {
    return this.#asked.size + this.#writing.size
  }

  get waiting(): boolean {
    return this.#asked.size > 0
  }

  isExpected(index: number): boolean {
    return index < this.#done.length && this.#done[index] === 0 && !this.#writing.has(index)
  }

  /** Blocks to ask for now; none until a quarter of the window is free, so that requests stay few. */
  next(now: number): number[] {
    const free = this.#size - this.outstanding
    if (free <= 0 || (this.waiting && free < this.#size / 4)) return []
    const blocks = [...this.#again].sort((a, b) => a - b).slice(0, free)
    for (const index of blocks) this.#again.delete(index)
    while (blocks.length < free && this.#cursor < this.#done.length) {
      if (this.#isUntouched(this.#cursor)) blocks.push(this.#cursor)
      this.#cursor += 1
    }
    if (!this.waiting) this.#idleSince = now
    for (const index of blocks) {
      this.#serial += 1
      this.#asked.set(index, { serial: this.#serial })
    }
    return blocks
  }

  /** The block came and is right; it stays outstanding until `settled`. */
  landed(index: number, now: number): void {
    const serial = this.#asked.get(index)?.serial ?? 0
    this.#asked.delete(index)
    this.#again.delete(index)
    this.#writing.add(index)
    this.#latestLanded = Math.max(this.#latestLanded, serial)
    this.#longestPause = Math.max(now - this.#idleSince, (this.#longestPause ?? 0) * PAUSE_MEMORY)
    this.#idleSince = now
    this.#silences = 0
    this.#size = Math.min(this.#most, this.#size + 1)
    this.#overtaken()
  }

  /** The block is in the file. */
  settled(index: number): void {
    this.#writing.delete(index)
    if (this.#done[index] !== 0) return
    this.#done[index] = 1
    this.#remaining -= 1
  }

  /** The block came and was wrong. False when it had not been asked for, so that nobody is to blame. */
  rejected(index: number): boolean {
    const wasAsked = this.#asked.delete(index)
    if (wasAsked) this.#again.add(index)
    return wasAsked
  }

  /** The connection is a new one: nothing asked on the old one will come. */
  forgetAsked(): void {
    for (const index of this.#asked.keys()) this.#again.add(index)
    this.#asked.clear()
  }

  /** True when the silence is too long: what was asked is given up, to be asked again. */
  expire(now: number): boolean {
    if (!this.waiting || now - this.#idleSince < this.#patience()) return false
    this.#silences += 1
    this.#size = Math.max(1, this.#size >> 1)
    this.forgetAsked()
    return true
  }

  #patience(): number {
    const usual =
      this.#longestPause === undefined
        ? FIRST_PATIENCE_MS
        : clamp(PAUSE_FACTOR * this.#longestPause, LEAST_PATIENCE_MS, FIRST_PATIENCE_MS)
    return Math.min(MOST_PATIENCE_MS, usual * 2 ** this.#silences)
  }

  #overtaken(): void {
    for (const [index, asked] of this.#asked) {
      if (asked.serial + 2 * this.#most >= this.#latestLanded) break
      this.#asked.delete(index)
      this.#again.add(index)
    }
  }

  #isUntouched(index: number): boolean {
    return (
      this.#done[index] === 0 &&
      !this.#writing.has(index) &&
      !this.#asked.has(index) &&
      !this.#again.has(index)
    )
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value))
}
