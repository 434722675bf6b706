import { z } from 'zod'
import { engineChoiceSchema } from '../../engines/index.ts'

export const selfTestJobSchema = z.object({
  file: z.string(),
  engine: engineChoiceSchema,
  /** As many as it was chosen with; the runtime's own default where absent. */
  threads: z.number().int().optional(),
  /** `run`: on golden inputs, or on zeros; `look`: only what its inputs and outputs are. */
  what: z.enum(['run', 'look']),
  /** Golden inputs and outputs; `null`: the model must load, and run on zeros. */
  golden: z.string().nullable(),
})

/** What the runtime says of an input or output. */
const endSchema = z.object({
  name: z.string(),
  type: z.string(),
  shape: z.array(z.number().int()),
  quantization: z.object({ scale: z.number(), zeroPoint: z.number() }).optional(),
})
export type SelfTestJob = z.infer<typeof selfTestJobSchema>

export const selfTestAnswerSchema = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    samples: z.number().int(),
    inputs: z.array(endSchema),
    outputs: z.array(endSchema),
  }),
  z.object({ ok: z.literal(false), code: z.string(), message: z.string() }),
])
export type SelfTestAnswer = z.infer<typeof selfTestAnswerSchema>
