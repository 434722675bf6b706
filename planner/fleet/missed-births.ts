/** Longer than it takes until what nobody has is somebody's, ms. */
const KEPT_MS = 60_000
const MOST = 50_000

/**
 * Devices that said birth while another planner, or nobody, spoke with them. Who takes them over asks them: of one that
 * was never heard of before, no row tells.
 */
export class MissedBirths {
  readonly #now: () => number
  /** The longest ago first. */
  readonly #heardAt = new Map<string, number>()

  /** @param now monotonic ms */
  constructor(now: () => number) {
    this.#now = now
  }

  note(device: string): void {
    const now = this.#now()
    this.#heardAt.delete(device)
    this.#heardAt.set(device, now)
    for (const [oldest, at] of this.#heardAt) {
      if (this.#heardAt.size <= MOST && now - at < KEPT_MS) break
      this.#heardAt.delete(oldest)
    }
  }

  /** Those that are this planner's by now, once. */
  take(owns: (device: string) => boolean): readonly string[] {
    const now = this.#now()
    const taken: string[] = []
    for (const [device, at] of this.#heardAt) {
      if (!owns(device)) continue
      this.#heardAt.delete(device)
      if (now - at < KEPT_MS) taken.push(device)
    }
    return taken
  }
}
