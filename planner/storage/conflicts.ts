import { fieldOf } from '../../shared/open-words.ts'

/** `deadlock_detected`, `serialization_failure` (PostgreSQL, appendix A): all of it was undone, and may be done again. */
const CONFLICTS: ReadonlySet<unknown> = new Set(['40P01', '40001'])

/** Two transactions stood in each other's way, and this one gave way. */
export function isConflict(error: unknown): boolean {
  return CONFLICTS.has(fieldOf(error, 'code'))
}
