/** One line of `npm run bench`: a figure beside the baseline measured in the same run. */
export interface BenchRow {
  readonly name: string
  /** What was measured, with its unit. */
  readonly measured: string
  /** What it is held against, measured in the same run or a fixed bound. */
  readonly baseline: string
  /** measured ÷ baseline, where that is a ratio. */
  readonly ratio: number | null
  /** The promise, e.g. `≤ 3×`. */
  readonly goal: string
  readonly met: boolean
}

export interface Benchmark {
  readonly name: string
  /** Why it cannot run here, printed instead of rows. */
  unavailable?(): string | undefined
  run(): Promise<readonly BenchRow[]>
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2
}
