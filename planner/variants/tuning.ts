import { z } from 'zod'

/** Of TensorFlow Lite, that must load the file and answer right. */
const release = z.string()
const held = { release: release.optional() }

/** How a variant departs from what is usual in its scheme: the operators that a mixed one leaves in float, and for whom. */
export const tuningSchema = z.union([
  /** By measured sensitivity, until the test data lose no more than this share. */
  z.strictObject({ maxDrop: z.number(), ...held }),
  /** Those whose kernels are known to be slower on integers. */
  z.strictObject({ spare: z.literal('slow'), ...held }),
  /** Those whose sums often saturate in 16 bits, on x86 without VNNI. */
  z.strictObject({ spare: z.literal('saturating'), ...held }),
  z.strictObject({ release }),
])
export type Tuning = z.output<typeof tuningSchema>
