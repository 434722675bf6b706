export { boundOf } from './bounds.ts'
export {
  type Candidate,
  leastBytes,
  type PlanInput,
  planVariants,
  type VariantPlan,
} from './candidates.ts'
export { type ClassFacts, type ModelFacts, modelFactsSchema } from './facts.ts'
export type { JobInput, JobKind, JobOutput, OnProgress } from './jobs.ts'
export { contentKey, QUANTIZER_VERSION } from './key.ts'
export { type LayerLoss, layerLossSchema } from './layer-loss.ts'
export { type Quality, qualitySchema, type Reference, referenceSchema } from './reference.ts'
export { JobError, type JobOptions, runJob } from './run-job.ts'
export { type Tuning, tuningSchema } from './tuning.ts'
