import { z } from 'zod'
import { openWord } from '../open-words.ts'
import type { Histogram } from './histogram.ts'

const interval = z.tuple([z.number(), z.number()])
const histogramSchema: z.ZodType<Histogram> = z.array(
  z.tuple([z.number().int(), z.number().int().positive()]),
)

/** One model on one device, in a steady hot loop or at a rate. Times in ms; how they are taken: README.md. */
export const latencyRecordSchema = z.object({
  n: z.number().int().positive(),
  p50Ms: z.number(),
  /** Distribution-free, of block medians: single runs are not independent. */
  p50Ci95: interval,
  /** Null below the 64 runs that p90 needs at 99 % confidence (MLPerf LoadGen). */
  p90Ms: z.number().nullable(),
  /** Null below 662 runs. */
  p99Ms: z.number().nullable(),
  minMs: z.number(),
  meanMs: z.number(),
  maxMs: z.number(),
  madMs: z.number(),
  /** Standard deviation over mean. */
  cv: z.number(),
  blockMediansMs: z.array(z.number()),
  /** What n autocorrelated runs are worth. */
  effectiveN: z.number().int(),
  /** Relative drift over the whole measurement (Theil–Sen): 0.05 = 5 % slower at its end. */
  trend: z.number(),
  /** Distance of two peaks as a ratio, 1 where there is one. */
  peakDistance: z.number(),
  histogram: histogramSchema,
  warmup: z.object({ runs: z.number().int(), ms: z.number(), settled: z.boolean() }),
  /** Rounds thrown away because the clock went backwards in them; absent: none. */
  clockJumps: z.number().int().optional(),
  /** How runs followed each other, where it was not one after the other; `late`: that began after their time. */
  pace: z.object({ rateHz: z.number().positive(), late: z.number().int() }).optional(),
  /** `precise`: the interval is narrow enough; `decided`: what it is for is certain; else what ran out first. */
  stopped: openWord(['precise', 'decided', 'time', 'runs']),
})
export type LatencyRecord = z.infer<typeof latencyRecordSchema>

/** Two models measured in turns in one process: below 1, this one is faster than the baseline. */
export const latencyRatioSchema = z.object({
  /** Centre of the ratios of neighbouring blocks' medians (Hodges–Lehmann). */
  p50: z.number(),
  /** Of the pairs, 95 %: what meets both of a pair is not in it. */
  ci95: interval,
  rounds: z.number().int(),
})
export type LatencyRatio = z.infer<typeof latencyRatioSchema>
