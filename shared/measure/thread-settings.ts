/** With how many threads, and on which processors, a model is run. */
export interface TriedSetting {
  readonly threads: number
  /** Null: wherever the system puts it. */
  readonly cores: readonly number[] | null
}

/** What came of one. Times in ms. */
export interface Tried extends TriedSetting {
  readonly p50Ms: number
  readonly ci95: readonly [number, number]
}

/** More threads must be faster by more than this: what they take others lack. */
const WORTH = 1.05

/**
 * The fewest threads that are not slower by what matters than the fastest setting; of equally many the faster, and
 * without fixed cores where that is no slower.
 */
export function bestSetting<T extends Tried>(tried: readonly T[]): T | undefined {
  const fastest = Math.min(...tried.map(({ p50Ms }) => p50Ms))
  return tried
    .filter(({ p50Ms }) => p50Ms <= fastest * WORTH)
    .sort(
      (a, b) =>
        a.threads - b.threads ||
        Number(a.cores !== null) - Number(b.cores !== null) ||
        a.p50Ms - b.p50Ms,
    )[0]
}
