export { MetricError, type MetricErrorCode } from './errors.ts'
export { KEPT, keepMetric, keptMetric } from './kept-metric.ts'
export type { Answer, Meter, RealArray, RealOutput, Score, Subject } from './meter.ts'
export {
  formatMetric,
  lossOf,
  type Metric,
  type MetricFacts,
  metricName,
} from './metric.ts'
export { builtInMetric, readMetric } from './read-metric.ts'
export { argmax, classesOf, dequantized } from './real-outputs.ts'
export { METRIC_NAMES, METRICS, type MetricRow, type MetricUnit } from './table.ts'
