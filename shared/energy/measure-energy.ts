import { setTimeout as sleep } from 'node:timers/promises'
import type { EnergyRecord } from '../measure/index.ts'
import { medianCi95, medianOf, sorted } from '../statistics/index.ts'
import type { Meter, Reading } from './meters.ts'

export interface EnergyOptions {
  /** How long it runs, ms; it rests half as long before, and after. */
  readonly ms: number
  /** Runs begin so often a second; absent: one after the other. */
  readonly rateHz?: number
  /** ms from an arbitrary start. */
  readonly clock?: () => number
  readonly wait?: (ms: number) => Promise<unknown>
}

/** Windows that an interval of their middle needs. */
const WINDOWS = 6
const REST_SHARE = 0.5

/**
 * What runs of a model cost beyond the device's draw at rest. Undefined where the meter fell silent meanwhile: a figure
 * of half a measurement is none.
 */
export async function measureEnergy(
  run: (turn: number) => unknown,
  meter: Meter,
  options: EnergyOptions,
): Promise<EnergyRecord | undefined> {
  const { clock = () => performance.now(), wait = sleep, rateHz } = options
  const windowMs = Math.max(meter.windowMs, options.ms / WINDOWS)
  const restMs = Math.max(2 * meter.windowMs, REST_SHARE * options.ms)
  const look = () => ({ at: clock(), reading: meter.read() })
  const pause = async () => {
    const looks = [look()]
    const endMs = clock() + restMs
    while (clock() < endMs) {
      await wait(Math.min(meter.windowMs, restMs))
      looks.push(look())
    }
    return joulesOf(looks)
  }
  const before = await pause()
  const windows: Spent[] = []
  let turn = 0
  const loaded = {
    run,
    meter,
    windowMs,
    clock,
    wait,
    periodMs: rateHz === undefined ? 0 : 1000 / rateHz,
  }
  for (let n = 0; n < WINDOWS; n++) {
    const spent = await windowOf(loaded, turn)
    if (spent === undefined) return undefined
    turn += spent.runs
    windows.push(spent)
  }
  const after = await pause()
  if (!before || !after) return undefined
  const idleWatts = (before.joules + after.joules) / (before.seconds + after.seconds)
  const perRun = sorted(
    windows.map(({ joules, seconds, runs }) => (1000 * (joules - idleWatts * seconds)) / runs),
  )
  const seconds = windows.reduce((sum, one) => sum + one.seconds, 0)
  return {
    meter: meter.name,
    covers: meter.covers,
    perRunMj: medianOf(perRun),
    ci95: medianCi95(perRun),
    watts: windows.reduce((sum, one) => sum + one.joules, 0) / seconds,
    idleWatts,
    runs: turn,
    ms: 1000 * seconds,
    ...(rateHz !== undefined && { rateHz }),
  }
}

interface Spent {
  readonly joules: number
  readonly seconds: number
  readonly runs: number
}

interface Loaded {
  readonly run: (turn: number) => unknown
  readonly meter: Meter
  readonly windowMs: number
  /** 0: one run after the other. */
  readonly periodMs: number
  readonly clock: () => number
  readonly wait: (ms: number) => Promise<unknown>
}

/** Runs for one window; the meter is read between runs, no oftener than it is current. */
async function windowOf(
  { run, meter, windowMs, periodMs, clock, wait }: Loaded,
  turn: number,
): Promise<Spent | undefined> {
  const startMs = clock()
  const looks: Look[] = [{ at: startMs, reading: meter.read() }]
  let runs = 0
  do {
    await run(turn + runs)
    runs += 1
    const restMs = startMs + runs * periodMs - clock()
    if (restMs > 0) await wait(restMs)
    const at = clock()
    if (at - (looks.at(-1)?.at ?? 0) >= meter.windowMs) looks.push({ at, reading: meter.read() })
  } while (clock() - startMs < windowMs)
  looks.push({ at: clock(), reading: meter.read() })
  const spent = joulesOf(looks)
  return spent && { ...spent, runs }
}

interface Look {
  readonly at: number
  readonly reading: Reading | undefined
}

/** A counter tells by its difference; watts hold until the next reading, half of each (trapezoids). */
function joulesOf(
  looks: readonly Look[],
): { readonly joules: number; readonly seconds: number } | undefined {
  let joules = 0
  for (const [i, next] of looks.entries()) {
    const last = looks[i - 1]
    if (last === undefined) continue
    const more = between(last, next)
    if (more === undefined) return undefined
    joules += more
  }
  const [first, last] = [looks[0], looks.at(-1)]
  if (!first || !last || last.at <= first.at) return undefined
  return { joules, seconds: (last.at - first.at) / 1000 }
}

function between(last: Look, next: Look): number | undefined {
  const [a, b] = [last.reading, next.reading]
  if (!a || !b) return undefined
  if ('watts' in a && 'watts' in b) return ((a.watts + b.watts) / 2) * ((next.at - last.at) / 1000)
  if (!('joules' in a) || !('joules' in b)) return undefined
  if (b.joules >= a.joules) return b.joules - a.joules
  return b.wrapsAt === null ? undefined : b.joules + b.wrapsAt - a.joules
}
