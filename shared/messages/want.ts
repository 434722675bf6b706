import { z } from 'zod'
import { digestSchema } from '../digest.ts'
import { messageIdSchema } from '../ids.ts'

/** Blocks one request may ask for: the credit window. */
export const MAX_WINDOW = 64

/** agent → planner: send these blocks of this artifact, in this order, as credit allows. */
export const wantSchema = z.object({
  v: z.literal(1),
  id: messageIdSchema,
  artifact: digestSchema,
  /** First block of the window. */
  from: z
    .number()
    .int()
    .nonnegative()
    .max(2 ** 15),
  /** Base64 bitmap relative to `from`, least significant bit first: 1 = missing here. */
  missing: z.string().max(16),
  /** Bytes the agent is ready to take for this request. */
  credit: z
    .number()
    .int()
    .positive()
    .max(MAX_WINDOW * 64 * 1024),
})
export type Want = z.infer<typeof wantSchema>
