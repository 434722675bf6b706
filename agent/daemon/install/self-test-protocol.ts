import { z } from 'zod'
import { RUNTIME_NAMES } from '../../../shared/runtime/index.ts'

export const selfTestJobSchema = z.object({
  file: z.string(),
  runtime: z.enum(RUNTIME_NAMES),
  /** Golden inputs and outputs; `null`: the model must load, and run on zeros. */
  golden: z.string().nullable(),
})
export type SelfTestJob = z.infer<typeof selfTestJobSchema>

export const selfTestAnswerSchema = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), samples: z.number().int() }),
  z.object({ ok: z.literal(false), code: z.string(), message: z.string() }),
])
export type SelfTestAnswer = z.infer<typeof selfTestAnswerSchema>
