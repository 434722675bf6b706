import { z } from 'zod'
import { type AnswerBits, MOST_SAMPLES } from './answer-bits.ts'

const bits = z.base64().max(4 * Math.ceil(MOST_SAMPLES / 8 / 3))

/** Apart from the counting: who measures parses nothing. */
export const answerBitsSchema: z.ZodType<AnswerBits> = z.object({
  answered: bits,
  right: bits.optional(),
  agreed: bits.optional(),
  energies: z
    .array(z.object({ name: z.string(), signal: z.array(z.number()), noise: z.array(z.number()) }))
    .optional(),
})
