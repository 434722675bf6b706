import { performance } from 'node:perf_hooks'
import type { Logger } from 'pino'
import { type ClockJump, minute, type WatchedClock, watchClock } from '../../shared/clock/index.ts'
import { messageOf } from '../../shared/errors.ts'
import { clock as clocks, type Db } from '../storage/index.ts'

/** Devices believe a director's statement for a day (LIFETIMES of planner/trust): a clock that was ahead by less costs nothing. */
const HARMLESS_MS = 12 * 3_600_000
const NOTED_EVERY_MS = 10 * 60_000

export interface ClockKeeperOptions {
  readonly db: Db
  readonly log: Logger
  readonly clock?: WatchedClock
  /** What was made for another time is looked at again. */
  onJump(): void
}

/**
 * Watches the wall clock of a running planner, and remembers how late it was: a planner that was days ahead has
 * made devices believe that it is so late, and they refuse what it says once its clock is right.
 * @returns how to stop
 */
export async function keepClock({
  db,
  log,
  clock = SYSTEM,
  onJump,
}: ClockKeeperOptions): Promise<() => Promise<void>> {
  const before = (await clocks.seenClock(db))?.seenAt
  const now = clock.now()
  if (before !== undefined && before > now) await wentBack(db, log, { from: before, now })
  else await clocks.noteSeen(db, now)
  const quietly = (work: Promise<void>) =>
    void work.catch((error) => log.warn(`cannot note the time: ${messageOf(error)}`))
  const stop = watchClock(clock, (jump) => {
    quietly(jumped(db, log, jump))
    onJump()
  })
  const timer = setInterval(() => quietly(clocks.noteSeen(db, clock.now())), NOTED_EVERY_MS).unref()
  return async () => {
    stop()
    clearInterval(timer)
    await clocks.noteSeen(db, clock.now()).catch(() => {})
  }
}

async function jumped(db: Db, log: Logger, { byMs, expected, now }: ClockJump): Promise<void> {
  if (byMs < 0) return await wentBack(db, log, { from: expected, now })
  log.warn({ from: expected, to: now }, 'the clock of this machine was set ahead')
  await clocks.noteSeen(db, now)
}

async function wentBack(
  db: Db,
  log: Logger,
  { from, now }: { readonly from: Date; readonly now: Date },
): Promise<void> {
  if (from.getTime() - now.getTime() < HARMLESS_MS) {
    log.warn({ from, to: now }, 'the clock of this machine was set back')
    return await clocks.noteSeen(db, now)
  }
  await clocks.noteAhead(db, from, now)
  log.warn({ from, to: now }, aheadAdvice(from, now))
}

/** What became of a clock that was days ahead, and the way back. */
export function aheadAdvice(until: Date, now: Date): string {
  return `this machine's clock said ${minute(until)} before, and says ${minute(now)} now: if now is right, devices that were told anything meanwhile refuse every order as "freeze" until fitment keys rotate director is run; if not, set the clock and start again`
}

/** Undefined where it never was ahead, or the fleet was told. */
export async function clockAdvice(db: Db, now: Date): Promise<string | undefined> {
  const ahead = (await clocks.seenClock(db))?.ahead
  return ahead && ahead.until > now ? aheadAdvice(ahead.until, now) : undefined
}

const SYSTEM: WatchedClock = { now: () => new Date(), monotonic: () => performance.now() }
