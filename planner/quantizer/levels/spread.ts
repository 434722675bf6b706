import { sqnrDb } from '../../../shared/measure/index.ts'
import { meanOf, studentT95 } from '../../../shared/statistics/index.ts'

/** Powers of one sample. */
export interface Powers {
  readonly signal: number
  readonly noise: number
}

/** Beyond these nobody needs to know how much. */
const WORTH_TELLING_DB = 60

/**
 * How far off the level of other samples of the same kind may be, in dB to either side (95 %): from what it becomes when each of these is
 * left out. Null for one sample, which tells nothing of others.
 */
export function spreadOf(samples: readonly Powers[]): number | null {
  const count = samples.length
  if (count < 2) return null
  const signal = samples.reduce((sum, one) => sum + one.signal, 0)
  const noise = samples.reduce((sum, one) => sum + one.noise, 0)
  const without = samples.map((one) =>
    // Differences of sums may end a hair below zero.
    worthTelling(sqnrDb(Math.max(0, signal - one.signal), Math.max(0, noise - one.noise))),
  )
  const mean = meanOf(without)
  const squares = without.reduce((sum, level) => sum + (level - mean) ** 2, 0)
  const error = Math.sqrt(((count - 1) / count) * squares)
  // Few samples know little of their own spread.
  return studentT95(count - 1) * error
}

function worthTelling(level: number): number {
  return Math.min(WORTH_TELLING_DB, Math.max(-WORTH_TELLING_DB, level))
}
