import { z } from 'zod'
import { digestSchema } from '../../shared/digest-schema.ts'
import { modelNameSchema } from '../../shared/ids.ts'
import { quantileSketchSchema } from '../../shared/sketch/index.ts'

/** Bytes of one line: a picture of 224 × 224 × 3 values written with seven digits. */
export const MOST_LINE_BYTES = 4 * 1024 * 1024

const MOST_VALUES = 1 << 20
/** NaN has no JSON: it is said as null. */
const valuesSchema = z.array(z.number().nullable()).max(MOST_VALUES)
const portsSchema = z.record(z.string().max(256), valuesSchema)

const sampleSchema = z.object({
  /** Real values by the name of each output, in the model's own order, batch of one. */
  outputs: portsSchema.optional(),
  /** The same of inputs; wanted of some inferences only, as the answer says. */
  inputs: portsSchema.optional(),
})

/** What an application says of one inference, or of several since it last spoke. */
export const observationSchema = sampleSchema.extend({
  model: modelNameSchema,
  /** Which one it ran; absent: the one that `current` names. */
  variant: digestSchema.optional(),
  latencyMs: z.union([z.number().nullable(), z.array(z.number().nullable()).max(4096)]).optional(),
  /** Times that the application has counted itself. */
  latency: quantileSketchSchema.optional(),
  samples: z.array(sampleSchema).max(256).default([]),
})
export type Observation = z.infer<typeof observationSchema>
export type ObservedSample = z.infer<typeof sampleSchema>

export type ParsedObservation =
  | { readonly ok: true; readonly observation: Observation }
  | { readonly ok: false; readonly error: string }

/** `{"model":"motor","latencyMs":3.2,"outputs":{"scores":[0.1,0.9]}}` */
export function parseObservation(text: string): ParsedObservation {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    const hint = /\b(NaN|Infinity)\b/.test(text) ? ': NaN and Infinity are said as null' : ''
    return { ok: false, error: `what follows observe is no JSON${hint}` }
  }
  const { data, error } = observationSchema.safeParse(value)
  if (data) return { ok: true, observation: data }
  const issue = error.issues[0]
  const where = issue?.path.map(String).join('.').slice(0, 80) || 'the observation'
  return {
    ok: false,
    error: `${where}: ${issue?.message}; say {"model":NAME,"latencyMs":MS,"outputs":{NAME:[…]}}`,
  }
}
