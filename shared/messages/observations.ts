import { z } from 'zod'
import { digestSchema } from '../digest-schema.ts'
import { wordSchema } from '../open-words.ts'
import { countsSchema, MOST_CHANNELS, quantileSketchSchema } from '../sketch/index.ts'

const countSchema = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER)

/** How the device itself was meanwhile; null where the system does not tell. */
export const hostFiguresSchema = z.object({
  hottestCelsius: z.number().min(-100).max(1000).nullable(),
  /** Times that the processor was slowed for its heat or its power. */
  throttled: countSchema.nullable(),
  availableBytes: countSchema.nullable(),
  /** Starts of the agent. */
  restarts: countSchema,
})
export type HostFigures = z.infer<typeof hostFiguresSchema>

/** The variant run by the agent itself in a quiet hour, on its golden inputs. */
export const selfCheckSchema = z.object({
  at: z.iso.datetime(),
  ok: z.boolean(),
  /** Why not: one line. */
  detail: z.string().max(300),
  /** Median of a short probe, ms; null where none was made. */
  p50Ms: z.number().nonnegative().nullable(),
})
export type SelfCheck = z.infer<typeof selfCheckSchema>

/** Largest report of observations, bytes; one an hour and model. */
export const MAX_OBSERVATIONS_BYTES = 4096

/** What the applications of a device saw of a variant in one window of time: sketches, nothing raw. */
export const observationsShape = {
  variant: digestSchema,
  /** Begin of the window by the device's clock; `at` of the report is its end. */
  from: z.iso.datetime(),
  /** Length of the window by a clock that only grows, ms. */
  windowMs: countSchema,
  inferences: countSchema,
  /** ms, as the applications measured. */
  latency: quantileSketchSchema,
  /** `sketch.json` in whose bins `channels` count; null where the variant came without one. */
  reference: digestSchema.nullable(),
  channels: z.array(countsSchema).max(MOST_CHANNELS),
  /** Inferences that were not looked into, by why. */
  refused: z
    .record(wordSchema, countSchema)
    .refine((all) => Object.keys(all).length <= 8, 'too many'),
  host: hostFiguresSchema,
  check: selfCheckSchema.nullable().default(null),
} as const

/** What windows of one variant hold, whatever they are called by. */
export const observationsSchema = z.object(observationsShape)
export type Observations = z.infer<typeof observationsSchema>
