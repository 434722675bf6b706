import { z } from 'zod'
import { openWord } from '../open-words.ts'
import { energyRecordSchema } from './energy-record.ts'
import { latencyRatioSchema, latencyRecordSchema } from './latency-record.ts'
import { qualityRecordSchema } from './quality-record.ts'
import { soakRecordSchema } from './soak-record.ts'
import { PROBE_VERDICTS } from './verdicts.ts'

/** What every record has; the rest of the figures explain these. */
const LATENCY_CORE = {
  n: true,
  p50Ms: true,
  p50Ci95: true,
  p90Ms: true,
  p99Ms: true,
  minMs: true,
  meanMs: true,
} as const
const QUALITY_CORE = { samples: true, accuracy: true, agreement: true, sqnrDb: true } as const
const RATIO_CORE = { p50: true, ci95: true } as const

/** The surroundings of a measurement; null where the system does not tell. */
export const probeEnvironmentSchema = z.object({
  governor: z.string().nullable(),
  frequencyKhz: z.number().nullable(),
  maxFrequencyKhz: z.number().nullable(),
  /** What the system, or an operator, lets the processor go up to. */
  frequencyLimitKhz: z.number().nullable().optional(),
  /** How often the quota of its control group stopped the process. (cgroup-v2.rst, cpu.stat.) */
  quotaStops: z.number().nullable().optional(),
  hottestCelsius: z.number().nullable(),
  /** Sum of the states of coolers that slow the processor. */
  cooling: z.number().nullable(),
  throttleCount: z.number().nullable(),
  /** Raspberry Pi firmware: undervoltage, frequency-capped, throttled, soft-limit. */
  piFlags: z.array(z.string()),
  load1: z.number().nullable(),
  availableBytes: z.number().nullable(),
  /** Ticks since boot, over all processors. */
  cpuTicks: z.object({ busy: z.number(), idle: z.number(), steal: z.number() }).nullable(),
  /** Pressure stall information, `some avg10`, percent. */
  cpuPressure: z.number().nullable(),
  memoryPressure: z.number().nullable(),
})
export type ProbeEnvironment = z.infer<typeof probeEnvironmentSchema>

/** What happened while latency was measured: the grounds of the verdict. */
export const probeEvidenceSchema = z.object({
  /** Processor time over wall time. */
  cpuShare: z.number(),
  involuntarySwitchesPerRun: z.number(),
  majorFaults: z.number(),
  /** Share of all processors' time; null where /proc tells nothing. */
  stealShare: z.number().nullable(),
  otherCpuShare: z.number().nullable(),
  /** Spread of a fixed piece of work between blocks: median absolute deviation over median. */
  spinSpread: z.number(),
  /** Its last third over its first third. */
  spinDrift: z.number(),
  /** Its median, ms: a device that is slower than at another time takes longer for it. Agents of old do not tell. */
  spinMs: z.number().optional(),
})
export type ProbeEvidence = z.infer<typeof probeEvidenceSchema>

/** Whose measurement it is: records of different engines are never compared as if they were one. */
export const measuredEngineSchema = z.object({
  runtime: z.string(),
  version: z.string(),
  threads: z.number().int(),
  library: z.object({ path: z.string(), digest: z.string() }).optional(),
  delegates: z
    .array(z.object({ path: z.string(), options: z.record(z.string(), z.string()) }))
    .optional(),
  device: z.string().optional(),
  /** How many operators each delegate took. */
  delegation: z
    .array(
      z.object({
        path: z.string(),
        total: z.number().int(),
        taken: z.number().int(),
        partitions: z.number().int(),
        left: z.record(z.string(), z.number().int()),
      }),
    )
    .optional(),
})
export type MeasuredEngine = z.infer<typeof measuredEngineSchema>

/** What a device measured of one variant. Times in ms, sizes in bytes. */
export const probeRecordSchema = z.object({
  probeVersion: z.literal(1),
  /** As asked for; `runtime.threads` says what the runtime made of it. */
  threads: z.number().int(),
  /** From the file's bytes to a runnable session, with the start of the runtime. */
  loadMs: z.number(),
  firstMs: z.number(),
  latency: latencyRecordSchema.partial().required(LATENCY_CORE),
  /** Measured in turns with the baseline in the same process; null without a baseline. */
  ratioToBaseline: latencyRatioSchema.partial().required(RATIO_CORE).nullable(),
  /** To the others that were measured in the same rounds, by the id of their probe. */
  ratios: z
    .array(
      z.object({
        probe: z.string().max(64),
        ratio: latencyRatioSchema.partial().required(RATIO_CORE),
      }),
    )
    .max(16)
    .optional(),
  /** Most resident memory of the probing process up to the first run: Node, runtime and model. */
  peakMemoryBytes: z.number(),
  /** `baseBytes` before the runtime was started; `overBaseBytes` is what runtime and model add. */
  memory: z.object({ baseBytes: z.number(), overBaseBytes: z.number() }).optional(),
  quality: qualityRecordSchema.partial().required(QUALITY_CORE),
  /** Processors it was kept on; absent: wherever the system put it. */
  cores: z.array(z.number().int()).optional(),
  /** Threads and cores that were tried before, of which the best was measured. */
  tried: z
    .array(
      z.object({
        threads: z.number().int(),
        cores: z.array(z.number().int()).nullable(),
        p50Ms: z.number(),
        ci95: z.tuple([z.number(), z.number()]),
      }),
    )
    .max(64)
    .optional(),
  /** Run for long, afterwards. */
  soak: soakRecordSchema.optional(),
  /** Null: asked for, and the device has no meter that can be read. */
  energy: energyRecordSchema.nullable().optional(),
  runtime: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  /** What ran it; records of old say only what the order said. */
  engine: measuredEngineSchema.optional(),
  environment: z
    .object({ before: probeEnvironmentSchema, after: probeEnvironmentSchema })
    .optional(),
  evidence: probeEvidenceSchema.optional(),
  flags: z.array(z.string()),
  verdict: openWord(PROBE_VERDICTS),
})
export type ProbeRecord = z.infer<typeof probeRecordSchema>
