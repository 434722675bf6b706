export { choose, type Selection, type SelectionRow } from './choose.ts'
export { type Basis, type Comparison, classRatio, comparisons } from './comparison.ts'
export { brokenConstraints, MIN_SQNR_DB, points } from './constraints.ts'
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
export { GAIN, near } from './objective.ts'
export { leaderOf, openQuestions, type Question } from './open-questions.ts'
