export type { Instruction, OperatorTally, Plan } from '../graph/index.ts'
export { SOURCE_TREATMENTS } from '../graph/index.ts'
export { paretoFront } from './accuracy-control/findings.ts'
export type { BudgetReport, BudgetStep } from './accuracy-control/hold.ts'
export type { AccuracyBudget } from './accuracy-control/options.ts'
export { type AsLearnt, quantizeAsLearnt } from './as-learnt.ts'
export {
  type CompressionOptions,
  SPARING_NAMES,
  type Sparing,
} from './compression/options.ts'
export type { CompressedLayer, CompressionReport } from './compression/report.ts'
export { QuantizerError, type QuantizerErrorCode } from './errors.ts'
export type { LayerLoss } from './levels/layer-losses.ts'
export type { Level, OutputLevel, SliceLevel } from './levels/level.ts'
export { quantizeForNarrowSums } from './mixed-precision/narrow-sums.ts'
export {
  type Mixed,
  type MixedPrecisionReport,
  ratioToFloat,
  searchMixed,
} from './mixed-precision/search.ts'
export { slowOnIntegers } from './mixed-precision/slow-on-integers.ts'
export type { QuantizeOptions } from './options.ts'
export { LEAST_WEIGHT } from './plan/dynamic.ts'
export { type OperatorSelector, parseSelector } from './plan/selectors.ts'
export { quantize } from './quantize.ts'
export { RANGE_NAMES, type RangeMethod } from './ranges/methods.ts'
export {
  RECOVERY_NAMES,
  type RecoveryMethod,
  type RecoveryStep,
  USUAL_RECOVERY,
} from './recovery/recover.ts'
export type { QuantizeOrder, QuantizeRequest } from './request.ts'
export type { QuantizeResult } from './result.ts'
