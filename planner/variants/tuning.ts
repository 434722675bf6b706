import { z } from 'zod'

/** How a mixed variant comes to the operators that it leaves in float. */
export const tuningSchema = z.union([
  /** By measured sensitivity, until the test data lose no more than this share. */
  z.strictObject({ maxDrop: z.number() }),
  /** Those whose kernels are known to be slower on integers. */
  z.strictObject({ spare: z.literal('slow') }),
  /** Those whose sums often saturate in 16 bits, on x86 without VNNI. */
  z.strictObject({ spare: z.literal('saturating') }),
])
export type Tuning = z.output<typeof tuningSchema>
