export { type CompareRequest, compareModels } from './compare.ts'
export {
  type Comparison,
  type LayerComparison,
  type ModelFacts,
  type QuantizedComparison,
  worstFirst,
  worstWeights,
} from './comparison.ts'
export { ComparisonError, type ComparisonErrorCode } from './errors.ts'
export { COMPUTATIONS, type Computation } from './inside/computation.ts'
export type { WeightComparison } from './inside/weights.ts'
export type { ComparedFile } from './opened-model.ts'
export { renderReport } from './report/index.ts'
