import { z } from 'zod'
import { openWord, wordOr } from '../../shared/open-words.ts'
import { RUNTIME_NAMES } from '../../shared/runtime/index.ts'
import { schemeNameSchema } from '../../shared/scheme-name.ts'
import { TARGET_NAMES } from '../targets/index.ts'

const ci95Schema = z.tuple([z.number(), z.number()])
const ratioSchema = z.object({ p50: z.number(), ci95: ci95Schema })

const metricSchema = z.object({
  text: z.string(),
  direction: wordOr(['higher', 'lower'], 'higher'),
  unit: wordOr(['share', 'rate', 'number'], 'number'),
  value: z.number(),
})

/** One candidate as the selection sees it: the class's summary of what its devices measured. */
export const measuredSchema = z.object({
  key: z.string(),
  scheme: schemeNameSchema,
  /** Its target: the field is older than the word. */
  runtime: z.enum(TARGET_NAMES),
  bytes: z.number(),
  latency: z.object({
    p50Ms: z.number(),
    ci95: ci95Schema,
    /** Against its yardstick, measured in turns; null where that did not fit. */
    ratio: ratioSchema.nullable(),
    /** What each device measured: times of different devices are never compared. */
    on: z
      .array(
        z.object({
          device: z.string(),
          p50Ms: z.number(),
          ci95: ci95Schema,
          ratio: ratioSchema.nullable(),
          /** What a fixed piece of work took there meanwhile; absent where it is not known. */
          spinMs: z.number().optional(),
        }),
      )
      .optional(),
  }),
  /** Key of float32 on the same runtime and delegate, which the ratio is against; its own for float32 itself. */
  yardstick: z.string().nullable().optional(),
  memoryBytes: z.number(),
  quality: z.object({
    /** What stands for accuracy: labels, the float model's answers, or the closeness of raw outputs. */
    basis: wordOr(['labels', 'agreement', 'sqnr', 'none', 'metric'], 'none'),
    /** Where a metric was chosen: what it is called, which way is better, and what it reaches. */
    metric: metricSchema.optional(),
    /** Share of answers lost against float32 (0.012 = 1.2 points); null with basis sqnr or none. */
    drop: z.number().nullable(),
    accuracy: z.number().nullable(),
    agreement: z.number().nullable(),
    sqnrDb: z.number().nullable(),
  }),
  /** Devices whose records went into this row. */
  devices: z.number().int(),
  /** What a reader must know about these numbers, e.g. that every record was noisy. */
  notes: z.array(z.string()),
})
export type Measured = z.infer<typeof measuredSchema>

/** Two candidates measured in turns on one device: the latency of `key` over that of `rival`. */
export const duelSchema = z.object({
  key: z.string(),
  rival: z.string(),
  device: z.string(),
  ratio: ratioSchema,
  /** Something else was at work meanwhile, which the operator accepted. */
  disturbed: z.boolean().optional(),
})
export type Duel = z.infer<typeof duelSchema>

export const OBJECTIVES = ['latency', 'size', 'memory'] as const
export type ObjectiveName = (typeof OBJECTIVES)[number]

export const constraintsSchema = z.object({
  /** Most accuracy, or of the metric, that may be lost against float32, as a share (0.01 = 1 point). */
  maxAccuracyDrop: z.number().min(0).max(1),
  /** What is to be kept, one of ours with its parameters; accuracy, or agreement, where absent or null. */
  metric: z.string().max(256).nullable().optional(),
  maxLatencyMs: z.number().positive().nullable(),
  maxMemoryBytes: z.number().positive().nullable(),
  maxBytes: z.number().positive().nullable(),
  /** The only runtimes that its applications load; absent or null: all. */
  runtimes: z.array(openWord(RUNTIME_NAMES)).nullable().optional(),
})
export type Constraints = z.infer<typeof constraintsSchema>

/** What the devices of the class can take; the roomiest device counts, tighter ones are seen to one by one. */
export interface Room {
  readonly storageBytes: number | null
  readonly memoryBytes: number | null
}
