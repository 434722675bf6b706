import { isPlausible, minute } from '../../shared/clock/index.ts'
import type { StateFile } from './trust-state.ts'

export interface WallClock {
  /** Milliseconds that only grow. */
  monotonic(): number
  /** May jump either way. */
  now(): Date
}

/** What clocks of two machines may differ by, ms. */
const DOUBTED_MS = 10 * 60_000

/**
 * A clock that does not go back. It is never earlier than the latest moment a verified director
 * statement was issued, plus the time that passed here since: so a wall clock set back, or starting
 * in 1970, cannot make old metadata fresh again. A wall clock that jumps ahead is followed, but leaves
 * no trace: once it is right again, so is this.
 */
export class TrustedClock {
  readonly #wall: WallClock
  readonly #file: StateFile
  #floorMs: number
  #since: number

  constructor(wall: WallClock, file: StateFile) {
    this.#wall = wall
    this.#file = file
    this.#floorMs = file.state.timeFloorMs
    this.#since = wall.monotonic()
  }

  now(): Date {
    return new Date(Math.max(this.#wall.now().getTime(), this.#floor()))
  }

  /** Why something that was just signed may seem past its expiry here, and what to do; undefined: nothing speaks for it. */
  doubt(): string | undefined {
    const wall = this.#wall.now()
    const aheadMs = this.#floor() - wall.getTime()
    if (!isPlausible(wall)) return undefined
    if (aheadMs > DOUBTED_MS) {
      return `the planner said that it is ${minute(new Date(this.#floor()))}, and this device's clock says ${minute(wall)}: if the planner's clock was ahead then, run fitment keys rotate director there; if this one is slow, set it`
    }
    return `this device's clock says ${minute(wall)}: if that is not so, set it; if the planner's is slow, set that`
  }

  /** A statement under these keys says that it is at least this late. */
  async monitor(issuedAt: Date, keys: readonly string[]): Promise<void> {
    const floorMs = Math.max(this.#floor(), issuedAt.getTime())
    await this.#file.change({ timeFloorMs: floorMs, timeKeys: [...keys] })
    this.#restart(floorMs)
  }

  /** Fast-forward recovery: a key that vouched for the floor had to go, so its word on time goes too. */
  async forgetUnless(keys: readonly string[]): Promise<void> {
    if (this.#file.state.timeKeys.every((key) => keys.includes(key))) return
    await this.#file.change({ timeFloorMs: 0, timeKeys: [] })
    this.#restart(0)
  }

  /** Writes down how late it is by now, so that a restart does not lose the time that passed. */
  async keep(): Promise<void> {
    const floorMs = this.#floor()
    if (floorMs > this.#file.state.timeFloorMs) await this.#file.change({ timeFloorMs: floorMs })
  }

  #floor(): number {
    if (this.#floorMs === 0) return 0
    return this.#floorMs + Math.max(0, Math.floor(this.#wall.monotonic() - this.#since))
  }

  #restart(floorMs: number): void {
    this.#floorMs = floorMs
    this.#since = this.#wall.monotonic()
  }
}
