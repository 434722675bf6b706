export { type EvaluateOptions, evaluate } from './evaluate.ts'
export { mcnemarExact, wilson95 } from './proportions.ts'
export { type QualityRecord, qualityRecordSchema } from './quality-record.ts'
