export { SOURCE_TREATMENTS } from '../formats/quantizable.ts'
export type { BudgetReport } from './budget/hold.ts'
export type { AccuracyBudget } from './budget/options.ts'
export {
  type CompressionOptions,
  SPARING_NAMES,
  type Sparing,
} from './compression/options.ts'
export type { CompressedLayer, CompressionReport } from './compression/report.ts'
export { QuantizerError, type QuantizerErrorCode } from './errors.ts'
export { quantizeForNarrowSums } from './mixing/narrow-sums.ts'
export { type Mixed, type MixingReport, ratioToFloat, searchMixed } from './mixing/search.ts'
export { slowOnIntegers } from './mixing/slow-on-integers.ts'
export type { QuantizeOptions } from './options.ts'
export type { Instruction, OperatorTally, Plan } from './plan/instructions.ts'
export { type OperatorSelector, parseSelector } from './plan/selectors.ts'
export { type QuantizeResult, quantize } from './quantize.ts'
export { RANGE_NAMES, type RangeMethod } from './ranges/methods.ts'
export {
  RECOVERY_NAMES,
  type RecoveryMethod,
  type RecoveryStep,
  USUAL_RECOVERY,
} from './recovery/recover.ts'
export type { QuantizeOrder, QuantizeRequest } from './request.ts'
