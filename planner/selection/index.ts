export { choose, type Selection, type SelectionInput, type SelectionRow } from './choose.ts'
export { MIN_SQNR_DB, points } from './constraints.ts'
export {
  type Constraints,
  constraintsSchema,
  type Measured,
  measuredSchema,
  OBJECTIVES,
  type ObjectiveName,
  type Room,
} from './measured.ts'
