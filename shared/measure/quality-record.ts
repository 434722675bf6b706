import { z } from 'zod'
import { findingSchema } from '../findings.ts'
import { wordOr } from '../open-words.ts'
import { answerBitsSchema } from './answer-bits-schema.ts'

const fraction = z.number().min(0).max(1)
const interval = z.tuple([z.number(), z.number()])

/** How one output differs from the reference's. */
export const outputErrorSchema = z.object({
  name: z.string(),
  /** 10·log₁₀(Σ reference² / Σ error²) over all samples; 200 stands for no error at all. */
  sqnrDb: z.number().max(200),
  maxAbsError: z.number(),
  meanAbsError: z.number(),
})

/** A metric that was asked for. A number is null where it could not be measured, which a note tells. */
export const metricScoreSchema = z.object({
  /** As it was asked for: name and parameters. */
  text: z.string(),
  direction: wordOr(['higher', 'lower'], 'higher'),
  unit: wordOr(['share', 'rate', 'number'], 'number'),
  value: z.number().nullable(),
  /** What the float model reaches on the same samples. */
  reference: z.number().nullable(),
  /** Figures beside it, such as mAP at one IoU. */
  parts: z.record(z.string(), z.number()).optional(),
})
export type MetricScore = z.infer<typeof metricScoreSchema>

/** What a model answers on a data set, alone (labels) and beside the float model (reference). Null: not measurable, see notes. */
export const qualityRecordSchema = z.object({
  samples: z.number().int().nonnegative(),
  /** Top-1 against the labels, of the first output. */
  accuracy: fraction.nullable(),
  accuracyCi95: interval.nullable(),
  referenceAccuracy: fraction.nullable(),
  /** Share of samples where both models name the same class. */
  agreement: fraction.nullable(),
  agreementCi95: interval.nullable(),
  /** Of the output that fares worst. */
  sqnrDb: z.number().nullable(),
  maxAbsError: z.number().nullable(),
  meanAbsError: z.number().nullable(),
  outputs: z.array(outputErrorSchema),
  /** Output elements that are NaN or infinite. */
  notFinite: z.number().int().nonnegative(),
  /** Samples that only one of the two answers right, and the exact McNemar p-value of that. */
  mcnemar: z
    .object({
      onlyThisRight: z.number().int(),
      onlyReferenceRight: z.number().int(),
      pValue: fraction,
    })
    .nullable(),
  /** Sample by sample, where they are few enough. */
  answers: answerBitsSchema.optional(),
  /** Where one was asked for. */
  metric: metricScoreSchema.optional(),
  /** Why something is null. */
  notes: z.array(findingSchema),
})
export type QualityRecord = z.infer<typeof qualityRecordSchema>
