import { z } from 'zod'
import { wordOr } from './open-words.ts'

/** A problem in the user's input that does not stop the work, or that explains why a thing was not done. */
export const findingSchema = z.object({
  /** Stable kebab-case identifier, e.g. `operator-left-float`, `source-already-quantized`. */
  code: z.string().regex(/^[a-z0-9-]+$/),
  severity: wordOr(['info', 'warning', 'error'], 'warning'),
  /** One sentence for people: what, where, and what to do. */
  message: z.string(),
  /** Tensor, operator or field the finding is about. */
  where: z.string().optional(),
})
export type Finding = z.infer<typeof findingSchema>
