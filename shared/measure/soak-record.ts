import { z } from 'zod'

/** One model for long without a pause. Times in ms. */
export const soakRecordSchema = z.object({
  ms: z.number(),
  runs: z.number().int(),
  /** Absent: one after the other. */
  rateHz: z.number().positive().optional(),
  /** Medians of the first tenth and of the last quarter of it. */
  firstMs: z.number(),
  lastMs: z.number(),
  /** The last over the first: what heat and limits cost. */
  slowdown: z.number(),
  /** From when on it stayed slower than at the beginning by more than 5 %; null: it did not. */
  slowedAfterMs: z.number().nullable(),
  windows: z
    .array(
      z.object({
        atMs: z.number(),
        p50Ms: z.number(),
        celsius: z.number().nullable().optional(),
        frequencyKhz: z.number().nullable().optional(),
      }),
    )
    .max(1000),
})
export type SoakRecord = z.infer<typeof soakRecordSchema>
