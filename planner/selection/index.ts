export { choose, type Selection, type SelectionRow } from './choose.ts'
export { type Basis, type Comparison, comparisons } from './comparison.ts'
export { MIN_SQNR_DB, points } from './constraints.ts'
export type { SelectionInput } from './input.ts'
export {
  type Constraints,
  constraintsSchema,
  type Duel,
  duelSchema,
  type Measured,
  measuredSchema,
  OBJECTIVES,
  type ObjectiveName,
  type Room,
} from './measured.ts'
export { openQuestions, type Question } from './open-questions.ts'
