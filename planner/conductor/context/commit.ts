import { type FailPoints, momentsOf } from '../../../shared/fail-points.ts'
import type { Db } from '../../storage/index.ts'
import { COMMIT_NAMES, type CommitName } from './commit-names.ts'

export interface Committing {
  readonly db: Db
  readonly failPoints: FailPoints
}

/**
 * Everything that moves a model, a rollout or a device on is one named transaction: all of it or nothing,
 * and a test can cut the power before it, with its rows written but not committed, and after it.
 */
export async function commit<T>(
  { db, failPoints }: Committing,
  name: CommitName,
  work: (trx: Db) => Promise<T>,
): Promise<T> {
  failPoints.reach(`${name}.before`)
  const result = await db.transaction().execute(async (trx) => {
    const done = await work(trx)
    failPoints.reach(`${name}.torn`)
    return done
  })
  failPoints.reach(`${name}.after`)
  return result
}

/** All that `FITMENT_FAIL_POINT` may name to a planner. */
export function failPointNames(): string[] {
  return momentsOf(COMMIT_NAMES)
}
