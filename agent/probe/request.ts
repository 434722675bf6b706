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
  baseline: z
    .object({
      modelPath: z.string(),
      engine: engineChoiceSchema,
      /** Where others suit it than the model. */
      threads: z.number().int().min(1).max(64).optional(),
    })
    .nullable(),
  /** Processors the child is kept on; absent: wherever the system puts it. */
  cores: z.array(z.number().int().min(0)).min(1).optional(),
  /** Try up to `threads` threads, and which cores, before; the best is measured. */
  tryThreads: z.boolean().optional(),
  /** Runs begin so often a second; absent: one after the other. */
  rateHz: z.number().positive().optional(),
  /** Afterwards run for so long without a pause, ms. */
  soakMs: z.number().positive().optional(),
  /** Afterwards measure the energy of a run, where there is a meter. */
  energy: z.boolean().optional(),
  /** Ratios to the baseline that the decision hangs on. */
  decides: z.array(z.number().positive()).optional(),
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

/** Of a request for something else: the variant by itself, without answers and what comes after. */
export const LATENCY_ALONE = {
  baseline: null,
  answersMs: 0,
  decides: undefined,
  energy: undefined,
  soakMs: undefined,
  tryThreads: undefined,
} as const satisfies Partial<ProbeRequest>
