export { dequantized } from '../metrics/index.ts'
export { type AnswerBits, readBits } from './answer-bits.ts'
export { withAnswers } from './answers.ts'
export { budgetOf, budgetOfField, FULL_BUDGET, type LatencyBudget, paced } from './budget.ts'
export type { EnergyRecord } from './energy-record.ts'
export { type EvaluateOptions, evaluate, evaluateMetric } from './evaluate.ts'
export { type Histogram, histogramQuantile, mergeHistograms } from './histogram.ts'
export { inTurn } from './in-turn.ts'
export {
  type Beside,
  type MeasureHooks,
  measureBeside,
  measureField,
  measureLatency,
  type Run,
} from './latency.ts'
export type { LatencyRatio, LatencyRecord } from './latency-record.ts'
export { NOISE } from './noise.ts'
export { sqnrDb } from './output-error.ts'
export { isAbove, leavesAll, pairedRatio } from './paired-ratio.ts'
export type { ProbeEnvironment, ProbeEvidence, ProbeRecord } from './probe-record.ts'
export type { MetricScore, QualityRecord } from './quality-record.ts'
export { QualityTally } from './quality-tally.ts'
export { isTrend } from './series.ts'
export { measureSoak } from './soak.ts'
export type { SoakRecord } from './soak-record.ts'
export { bestSetting, type Tried, type TriedSetting } from './thread-settings.ts'
export { BEHIND, PROBE_VERDICTS, type ProbeVerdict } from './verdicts.ts'
