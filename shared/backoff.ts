export interface BackoffOptions {
  /** First ceiling, ms; it doubles with every failure. */
  readonly baseMs: number
  readonly capMs: number
  /** In [0, 1). */
  readonly random: () => number
}

/**
 * Exponential backoff with full jitter: a pause anywhere below the ceiling, so that those who lost something together do
 * not come back together (AWS Architecture Blog, "Exponential Backoff and Jitter").
 */
export function pauseMs(failures: number, options: BackoffOptions): number {
  const ceiling = Math.min(options.capMs, options.baseMs * 2 ** Math.min(failures, 30))
  return Math.round(ceiling * options.random())
}
