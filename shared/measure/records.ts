/** Records as they travel and are stored; apart from the measuring, which needs no parser. */
export { energyRecordSchema } from './energy-record.ts'
export { latencyRatioSchema, latencyRecordSchema } from './latency-record.ts'
export {
  measuredEngineSchema,
  probeEnvironmentSchema,
  probeEvidenceSchema,
  probeRecordSchema,
} from './probe-record.ts'
export { qualityRecordSchema } from './quality-record.ts'
export { soakRecordSchema } from './soak-record.ts'
export { PROBE_VERDICTS, type ProbeVerdict } from './verdicts.ts'
