export { withAnswers } from './answers.ts'
export { budgetOf, FULL_BUDGET, type LatencyBudget } from './budget.ts'
export { type EvaluateOptions, evaluate } from './evaluate.ts'
export {
  type Histogram,
  histogramQuantile,
  histogramSchema,
  mergeHistograms,
} from './histogram.ts'
export { type MeasureHooks, measureBeside, measureLatency, type Run } from './latency.ts'
export {
  type LatencyRatio,
  type LatencyRecord,
  latencyRatioSchema,
  latencyRecordSchema,
} from './latency-record.ts'
export { medianOf, sorted } from './order-statistics.ts'
export { sqnrDb } from './output-error.ts'
export {
  PROBE_VERDICTS,
  type ProbeEnvironment,
  type ProbeEvidence,
  type ProbeRecord,
  probeRecordSchema,
} from './probe-record.ts'
export { mcnemarExact, wilson95 } from './proportions.ts'
export { type QualityRecord, qualityRecordSchema } from './quality-record.ts'
export { QualityTally } from './quality-tally.ts'
export { dequantized } from './real-outputs.ts'
