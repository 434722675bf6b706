/** Records as they travel and are stored; apart from the measuring, which needs no parser. */
export { latencyRatioSchema, latencyRecordSchema } from './latency-record.ts'
export {
  measuredEngineSchema,
  PROBE_VERDICTS,
  type ProbeVerdict,
  probeRecordSchema,
} from './probe-record.ts'
export { qualityRecordSchema } from './quality-record.ts'
