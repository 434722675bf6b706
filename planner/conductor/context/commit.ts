import { type FailPoints, momentsOf } from '../../../shared/fail-points.ts'
import { type Db, isConflict } from '../../storage/index.ts'
import { COMMIT_NAMES, type CommitName } from './commit-names.ts'

export interface Committing {
  readonly db: Db
  readonly failPoints: FailPoints
  /** Throws inside the transaction where this work is somebody else's by now. */
  readonly fence?: (trx: Db) => Promise<void>
}

/** Two planners that write the same counts stand in each other's way; one of them does it once more. */
const ATTEMPTS = 6

/**
 * Everything that moves a model, a rollout or a device on is one named transaction: all of it or nothing,
 * and a test can cut the power before it, with its rows written but not committed, and after it.
 */
export async function commit<T>(
  { db, failPoints, fence }: Committing,
  name: CommitName,
  work: (trx: Db) => Promise<T>,
): Promise<T> {
  failPoints.reach(`${name}.before`)
  const result = await withoutConflict(() =>
    db.transaction().execute(async (trx) => {
      await fence?.(trx)
      const done = await work(trx)
      failPoints.reach(`${name}.torn`)
      return done
    }),
  )
  failPoints.reach(`${name}.after`)
  return result
}

async function withoutConflict<T>(transaction: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await transaction()
    } catch (error) {
      if (attempt === ATTEMPTS || !isConflict(error)) throw error
    }
  }
}

/** All that `FITMENT_FAIL_POINT` may name to a planner. */
export function failPointNames(): string[] {
  return momentsOf(COMMIT_NAMES)
}
