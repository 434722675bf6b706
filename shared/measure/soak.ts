import { setTimeout as sleep } from 'node:timers/promises'
import { medianOf, sorted } from '../statistics/index.ts'
import { type Clock, type Run, systemClock } from './latency.ts'
import type { SoakRecord } from './soak-record.ts'

export interface SoakOptions {
  /** How long, ms. */
  readonly ms: number
  /** Runs begin so often a second; absent: one after the other. */
  readonly rateHz?: number
  readonly clock?: Clock
  readonly wait?: (ms: number) => Promise<unknown>
  /** Between windows: what the surroundings say then. */
  readonly look?: () => Promise<Pick<SoakRecord['windows'][number], 'celsius' | 'frequencyKhz'>>
}

/** Windows that a soak is told in, and the shortest of them, ms. */
const WINDOWS = 60
const LEAST_WINDOW_MS = 250
/** Of the windows, at the beginning and at the end, that are compared. */
const FIRST_SHARE = 0.1
const LAST_SHARE = 0.25
/** Slower than at the beginning by more than this is slower. */
const SLOWER = 1.05

/**
 * The same model without a pause, until the device is as warm as it gets: how its latency changes over time. Rankings of
 * cold devices may turn round when they are hot.
 */
export async function measureSoak(run: Run, options: SoakOptions): Promise<SoakRecord> {
  const { ms, clock = systemClock, look = async () => ({}) } = options
  const windowMs = Math.max(LEAST_WINDOW_MS, ms / WINDOWS)
  const startMs = clock()
  const windows: SoakRecord['windows'] = []
  let turn = 0
  const isDue = pacer(options)
  do {
    const times = await windowOf(run, turn, windowMs, clock, isDue)
    turn += times.length
    const atMs = clock() - startMs
    windows.push({ atMs, p50Ms: medianOf(sorted(times)), ...(await look()) })
  } while (clock() - startMs < ms)
  return summarised(windows, turn, clock() - startMs, options.rateHz)
}

/** Waits until the next run is due, by a grid that windows do not begin anew. */
function pacer({ rateHz, clock = systemClock, wait = sleep }: SoakOptions): () => Promise<void> {
  if (rateHz === undefined) return async () => {}
  const startMs = clock()
  let turn = 0
  return async () => {
    const restMs = startMs + (turn++ * 1000) / rateHz - clock()
    if (restMs > 0) await wait(restMs)
  }
}

async function windowOf(
  run: Run,
  turn: number,
  windowMs: number,
  clock: Clock,
  isDue: () => Promise<void>,
): Promise<readonly number[]> {
  const times: number[] = []
  const startMs = clock()
  for (;;) {
    await isDue()
    const before = clock()
    await run(turn + times.length)
    const now = clock()
    times.push(now - before)
    if (now - startMs >= windowMs) return times
  }
}

function summarised(
  windows: SoakRecord['windows'],
  runs: number,
  ms: number,
  rateHz: number | undefined,
): SoakRecord {
  const middle = (some: SoakRecord['windows']) => medianOf(sorted(some.map(({ p50Ms }) => p50Ms)))
  const count = (share: number) => Math.max(1, Math.round(share * windows.length))
  const firstMs = middle(windows.slice(0, count(FIRST_SHARE)))
  const lastMs = middle(windows.slice(-count(LAST_SHARE)))
  // The last window that was as fast as the first ones: from the next on it stayed slower.
  const lastFast = windows.findLastIndex(({ p50Ms }) => p50Ms < SLOWER * firstMs)
  const slowed = lastMs >= SLOWER * firstMs ? windows[lastFast + 1] : undefined
  return {
    ms,
    runs,
    ...(rateHz !== undefined && { rateHz }),
    firstMs,
    lastMs,
    slowdown: lastMs / firstMs,
    slowedAfterMs: slowed?.atMs ?? null,
    windows,
  }
}
