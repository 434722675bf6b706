import { z } from 'zod'

/** What a device measured of one variant. Times in ms, sizes in bytes. Owned and refined with agent/probe. */
export const probeRecordSchema = z.object({
  probeVersion: z.literal(1),
  threads: z.number().int(),
  loadMs: z.number(),
  firstMs: z.number(),
  latency: z.object({
    n: z.number().int(),
    p50Ms: z.number(),
    p50Ci95: z.tuple([z.number(), z.number()]),
    p90Ms: z.number().nullable(),
    p99Ms: z.number().nullable(),
    minMs: z.number(),
    meanMs: z.number(),
  }),
  /** Measured in turns with the baseline in the same process; null without a baseline. */
  ratioToBaseline: z
    .object({ p50: z.number(), ci95: z.tuple([z.number(), z.number()]) })
    .nullable(),
  peakMemoryBytes: z.number(),
  quality: z.object({
    samples: z.number().int(),
    /** Top-1; null without labels. */
    accuracy: z.number().nullable(),
    /** Share of samples with the float model's answer; null where outputs are no class scores. */
    agreement: z.number().nullable(),
    sqnrDb: z.number().nullable(),
  }),
  flags: z.array(z.string()),
  verdict: z.enum(['ok', 'noisy', 'throttled', 'invalid']),
})
export type ProbeRecord = z.infer<typeof probeRecordSchema>
