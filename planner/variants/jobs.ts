import { z } from 'zod'
import { findingSchema } from '../../shared/findings.ts'
import { qualityRecordSchema } from '../../shared/measure/records.ts'
import { modelFactsSchema, targetNameSchema } from './facts.ts'
import { layerLossSchema } from './layer-loss.ts'
import { tuningSchema } from './tuning.ts'

const path = z.string().min(1)

/** What a variant answers the whole test set and the slice, with files that say the same on devices. */
const answeredSchema = z.object({
  whole: qualityRecordSchema,
  slice: qualityRecordSchema,
  selfTest: path,
  /** What observations of the variant are counted by. */
  sketch: path,
})

/**
 * Work on models, done in a child process: a model that crashes or hangs its runtime takes nothing
 * with it, and the planner stays responsive. Results are files under `out` and what is said of them.
 */
export const JOBS = {
  /** Reads a source with its data, and lets it answer the test set. */
  prepare: {
    input: z.object({
      source: path,
      calibration: path.nullable(),
      test: path.nullable(),
      /** One of ours; accuracy, or agreement, where absent. */
      metric: z.string().optional(),
      out: path,
    }),
    output: z.object({
      facts: modelFactsSchema,
      findings: z.array(findingSchema),
      calibrationSamples: z.number().int(),
      testSamples: z.number().int(),
      labelled: z.boolean(),
      whole: path,
      slice: path,
      /** Of the float model itself. */
      selfTest: path,
      sketch: path,
      wholeQuality: qualityRecordSchema,
      sliceQuality: qualityRecordSchema,
    }),
  },
  /** Quantizes a source; the file is loaded and run in its real runtime before it is handed over. */
  build: {
    input: z.object({
      source: path,
      calibration: path.nullable(),
      scheme: z.string(),
      runtime: targetNameSchema,
      /** Of mixed schemes, with test data to hold an accuracy on. */
      tuned: z.object({ tuning: tuningSchema, test: path }).optional(),
      /** Also lets it answer these, while its runtime is loaded. */
      data: z.object({ whole: path, slice: path }).optional(),
      out: path,
    }),
    output: z.object({
      file: path,
      findings: z.array(findingSchema),
      operators: z.unknown(),
      /** Layers whose codes lose most, worst first. */
      losses: z.array(layerLossSchema),
      /** Absent where it was not asked, or does not answer: an evaluation then says why. */
      answered: answeredSchema.optional(),
    }),
  },
  /** Lets a variant answer the whole test set and the slice, and writes its self-test and its sketch. */
  evaluate: {
    input: z.object({
      variant: path,
      runtime: targetNameSchema,
      whole: path,
      slice: path,
      /** Shows what inputs look like, beside the test data. */
      calibration: path.nullish(),
      out: path,
    }),
    output: answeredSchema,
  },
} as const satisfies Record<string, { input: z.ZodType; output: z.ZodType }>

export type JobKind = keyof typeof JOBS
export const JOB_KINDS = Object.keys(JOBS) as [JobKind, ...JobKind[]]
export type JobInput<K extends JobKind> = z.output<(typeof JOBS)[K]['input']>
export type JobOutput<K extends JobKind> = z.output<(typeof JOBS)[K]['output']>

export type OnProgress = (done: number, total: number, what: string) => void

export type JobRunners = {
  readonly [K in JobKind]: (input: JobInput<K>, onProgress: OnProgress) => Promise<JobOutput<K>>
}

/** planner → child */
export const jobRequestSchema = z.object({
  kind: z.enum(JOB_KINDS),
  input: z.unknown(),
})

/** child → planner */
export const jobMessageSchema = z.discriminatedUnion('say', [
  z.object({
    say: z.literal('progress'),
    done: z.number(),
    total: z.number(),
    what: z.string(),
  }),
  /** `again`: it takes another job. */
  z.object({ say: z.literal('done'), output: z.unknown(), again: z.boolean() }),
  z.object({
    say: z.literal('failed'),
    code: z.string(),
    message: z.string(),
  }),
])
export type JobMessage = z.infer<typeof jobMessageSchema>
