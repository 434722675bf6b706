import { z } from 'zod'
import { engineChoiceSchema } from '../engines/index.ts'

/** One variant to measure in a child process. */
export const probeRequestSchema = z.object({
  modelPath: z.string(),
  engine: engineChoiceSchema,
  threads: z.number().int().min(1).max(64),
  /** .npz with `x`, and `y` and `reference` where there are any. */
  datasetPath: z.string(),
  /** Measured in turns with the model for the ratio of their times; null for none. */
  baseline: z.object({ modelPath: z.string(), engine: engineChoiceSchema }).nullable(),
  /** Time to spend on latency, warm-up not counted, ms. */
  measureMs: z.number().positive(),
  /** Time for answers to the test data, ms; absent: a share of the limit. One sample is answered in any case. */
  answersMs: z.number().nonnegative().optional(),
  /** The child is killed after this, ms. */
  timeoutMs: z.number().positive(),
  /** Most resident memory of the child, bytes; null for no limit. */
  memoryLimitBytes: z.number().int().positive().nullable(),
  /** Where /proc and /sys are found. */
  root: z.string(),
})
export type ProbeRequest = z.infer<typeof probeRequestSchema>
