import { z } from 'zod'
import { digestSchema } from '../../shared/digest-schema.ts'
import type { QualityRecord } from '../../shared/measure/index.ts'
import { qualityRecordSchema } from '../../shared/measure/records.ts'

export const qualitySchema = qualityRecordSchema
export type Quality = QualityRecord

/** What the float source answers over a model's test data: the measure of every variant. */
export const referenceSchema = z.object({
  /** Test data with the float outputs beside it (`x`, `y` if labelled, `reference`). */
  whole: digestSchema,
  /** A part of it small enough to travel to devices. */
  slice: digestSchema,
  /** What a device checks the source itself with; models of old have none. */
  selfTest: digestSchema.optional(),
  /** What observations of the source are counted by; models of old have none. */
  sketch: digestSchema.optional(),
  wholeQuality: qualitySchema,
  sliceQuality: qualitySchema,
})
export type Reference = z.infer<typeof referenceSchema>
