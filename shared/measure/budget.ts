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
}

/** A probe on a device, where nothing cuts it short. */
export const FULL_BUDGET: LatencyBudget = {
  warmup: { minRuns: 3, minMs: 1_000, maxMs: 10_000 },
  block: { minRuns: 10, minMs: 1_000 },
  enough: { runs: 100, blocks: 10, ms: 10_000, halfWidth: 0.03 },
  cap: { ms: 60_000, runs: 5_000 },
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
