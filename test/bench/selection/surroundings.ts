import type { Draws } from './randomness.ts'

/** What is planted beside the measurements. Times in ms. */
export interface Weather {
  /** Mean length of a burst of load, and of the quiet between; null: load without end. */
  readonly bursts: { readonly loadMs: number; readonly quietMs: number } | null
  /** Share of devices that get hot and slow down now and then. */
  readonly throttling: number
}

export const ORDINARY: Weather = {
  bursts: { loadMs: 20_000, quietMs: 90_000 },
  throttling: 0.2,
}
export const CONTENDED_EVERYWHERE: Weather = { bursts: null, throttling: 0.2 }

/** Longer than any planning is watched. */
const HORIZON_MS = 6 * 3_600_000
/** A scheduler's turn. */
const SLICE_MS = 3

interface Episode {
  readonly fromMs: number
  readonly toMs: number
  readonly strength: number
}

/** What goes on around the measurements of one device: load, heat, and a slow drift that no counter shows. */
export class Surroundings {
  readonly #draws: Draws
  readonly #load: readonly Episode[]
  readonly #heat: readonly Episode[]
  readonly #drift: { readonly share: number; readonly periodMs: number; readonly phase: number }
  /** Whether its kernel counts what throttles it; elsewhere only the slowness shows. */
  readonly tellsHeat: boolean

  constructor(draws: Draws, { bursts, throttling }: Weather) {
    this.#draws = draws
    this.#load =
      bursts === null
        ? [{ fromMs: 0, toMs: HORIZON_MS, strength: draws.uniform(0.05, 0.9) }]
        : episodes(draws, bursts.quietMs, bursts.loadMs, () => draws.uniform(0.15, 0.9))
    this.#heat = draws.chance(throttling)
      ? episodes(draws, 400_000, 120_000, () => draws.uniform(0.1, 0.5))
      : []
    this.tellsHeat = draws.chance(0.5)
    this.#drift = {
      share: draws.uniform(0, 0.03),
      periodMs: draws.uniform(120_000, 900_000),
      phase: draws.uniform(0, 2 * Math.PI),
    }
  }

  /** Share of the processor that others want, 0 … 1. */
  loadAt(ms: number): number {
    return strengthAt(this.#load, ms)
  }

  isHotAt(ms: number): boolean {
    return strengthAt(this.#heat, ms) > 0
  }

  /** How much longer the same work takes, without load. */
  slownessAt(ms: number): number {
    const { share, periodMs, phase } = this.#drift
    const heat = this.#heat.find(({ fromMs, toMs }) => ms >= fromMs && ms < toMs)
    // Heat comes on within seconds, not at once.
    const ramp = heat ? heat.strength * Math.min(1, (ms - heat.fromMs) / 5_000) : 0
    return (1 + share * Math.sin((2 * Math.PI * ms) / periodMs + phase)) * (1 + ramp)
  }

  /**
   * What work of so long takes at this time.
   * @param sensitivity to what others do to caches and memory; 1 is usual
   */
  takes(workMs: number, ms: number, sensitivity = 1): { wallMs: number; waitedMs: number } {
    const load = this.loadAt(ms)
    const own = workMs * this.slownessAt(ms) * (1 + 0.25 * load * sensitivity)
    const waits = load === 0 ? 0 : this.#draws.poisson((own * load) / (SLICE_MS * (1.05 - load)))
    const waitedMs = waits * SLICE_MS
    return { wallMs: own + waitedMs, waitedMs }
  }
}

function episodes(
  draws: Draws,
  pauseMs: number,
  lastsMs: number,
  strength: () => number,
): readonly Episode[] {
  const found: Episode[] = []
  let at = draws.exponential(pauseMs)
  while (at < HORIZON_MS) {
    const toMs = at + draws.exponential(lastsMs)
    found.push({ fromMs: at, toMs, strength: strength() })
    at = toMs + draws.exponential(pauseMs)
  }
  return found
}

function strengthAt(episodes: readonly Episode[], ms: number): number {
  return episodes.find(({ fromMs, toMs }) => ms >= fromMs && ms < toMs)?.strength ?? 0
}
