/** How long and how exactly to measure. Times in ms. */
export interface LatencyBudget {
  readonly warmup: { readonly minRuns: number; readonly minMs: number; readonly maxMs: number }
  /** A block ends after both, or at its share of `maxRuns`. */
  readonly block: { readonly minRuns: number; readonly minMs: number }
  /** Measuring ends when all of these hold… */
  readonly enough: {
    readonly runs: number
    readonly blocks: number
    readonly ms: number
    /** Half-width of the median's confidence interval over the median. */
    readonly halfWidth: number
  }
  /** …or any of these is reached. */
  readonly cap: { readonly ms: number; readonly runs: number }
  /** Runs begin so often a second, as in the application; absent: one after the other, as fast as they go. */
  readonly rateHz?: number
  /**
   * Of two measured in turns: ratios that the decision hangs on. Measuring also ends once the interval has left them all,
   * twice over: that the decision is certain is enough, the number need not be. Of more: ratios to the fastest of them.
   */
  readonly decides?: readonly number[]
}

/** A probe on a device, where nothing cuts it short. */
export const FULL_BUDGET: LatencyBudget = {
  warmup: { minRuns: 3, minMs: 1_000, maxMs: 10_000 },
  block: { minRuns: 10, minMs: 1_000 },
  enough: { runs: 100, blocks: 10, ms: 10_000, halfWidth: 0.03 },
  cap: { ms: 60_000, runs: 5_000 },
}

/** Runs of a block below which its median is a single run's. */
const LEAST_PACED_RUNS = 3
/** Rounds that a paired interval needs: below six there is none without assuming a distribution. */
export const ROUNDS_FOR_RATIO = 6

/**
 * The same protocol at the application's rate. A slow rate takes the time it takes: six rounds of three runs.
 * @param series that share the time
 */
export function paced(budget: LatencyBudget, rateHz: number, series = 1): LatencyBudget {
  const periodMs = 1000 / rateHz
  const { block, enough, cap } = budget
  const affordable = Math.floor(cap.ms / (enough.blocks * series * periodMs))
  return {
    ...budget,
    rateHz,
    block: { ...block, minRuns: clamp(affordable, LEAST_PACED_RUNS, block.minRuns) },
    cap: {
      ...cap,
      ms: Math.max(cap.ms, ROUNDS_FOR_RATIO * LEAST_PACED_RUNS * series * periodMs),
    },
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value))
}

/** Of many in turns each warms up for its share of the time. */
export function budgetOfField(measureMs: number, series: number): LatencyBudget {
  const budget = budgetOf(measureMs)
  const { minRuns, minMs, maxMs } = budget.warmup
  return { ...budget, warmup: { minRuns, minMs: minMs / series, maxMs: (2 * maxMs) / series } }
}

/** The same protocol in the time there is: less than a minute makes wider intervals, not other rules. */
export function budgetOf(measureMs: number): LatencyBudget {
  const share = Math.min(1, measureMs / FULL_BUDGET.cap.ms)
  const { warmup, block, enough, cap } = FULL_BUDGET
  const blocksMs = Math.min(enough.ms, measureMs * 0.8)
  return {
    warmup: {
      minRuns: warmup.minRuns,
      minMs: Math.min(warmup.minMs, measureMs * 0.1),
      maxMs: Math.min(warmup.maxMs, measureMs * 0.5),
    },
    block: {
      minRuns: block.minRuns,
      minMs: Math.min(block.minMs, blocksMs / enough.blocks),
    },
    enough: { ...enough, ms: share < 1 ? blocksMs : enough.ms },
    cap: { ms: measureMs, runs: cap.runs },
  }
}
