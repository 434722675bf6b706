export { type Collector, collectorOf } from './collector.ts'
export { startTraces } from './start-traces.ts'
