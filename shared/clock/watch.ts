export interface WatchedClock {
  now(): Date
  /** Milliseconds that only grow. */
  monotonic(): number
}

/** The wall clock moved by itself, ms: above 0 ahead, below 0 back. */
export interface ClockJump {
  readonly byMs: number
  /** What it would say, had it not jumped. */
  readonly expected: Date
  readonly now: Date
}

/** What slewing and a busy machine explain, ms. */
export const TOLERATED_MS = 60_000
const LOOK_EVERY_MS = 15_000

/** Compares what passed on both clocks since the last look. */
export function jumpSince(
  last: { readonly wall: Date; readonly monotonic: number },
  clock: WatchedClock,
): ClockJump | undefined {
  const now = clock.now()
  const expected = new Date(last.wall.getTime() + clock.monotonic() - last.monotonic)
  const byMs = now.getTime() - expected.getTime()
  return Math.abs(byMs) > TOLERATED_MS ? { byMs, expected, now } : undefined
}

/**
 * Tells of every jump, until it is stopped. A machine that slept has jumped: its monotonic clock stood
 * (clock_gettime(2), CLOCK_MONOTONIC).
 */
export function watchClock(clock: WatchedClock, onJump: (jump: ClockJump) => void): () => void {
  const look = () => ({ wall: clock.now(), monotonic: clock.monotonic() })
  let last = look()
  const timer = setInterval(() => {
    const jump = jumpSince(last, clock)
    last = look()
    if (jump !== undefined) onJump(jump)
  }, LOOK_EVERY_MS).unref()
  return () => clearInterval(timer)
}
