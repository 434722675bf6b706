export interface BackoffOptions {
  /** First ceiling, ms; it doubles with every failure. */
  readonly baseMs: number
  readonly capMs: number
  /** In [0, 1). */
  readonly random: () => number
}

export const RECONNECT_BACKOFF: BackoffOptions = {
  baseMs: 1_000,
  capMs: 60_000,
  random: Math.random,
}

/**
 * Exponential backoff with full jitter: a pause anywhere below the ceiling, so that a fleet that lost
 * its broker together does not come back together (AWS Architecture Blog, "Exponential Backoff and Jitter").
 */
export function pauseMs(failures: number, options: BackoffOptions): number {
  const ceiling = Math.min(options.capMs, options.baseMs * 2 ** Math.min(failures, 30))
  return Math.round(ceiling * options.random())
}
