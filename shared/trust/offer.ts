import { z } from 'zod'

/** A name may carry an encoded role and a version; never a way out of a folder. */
const fileNameSchema = z.string().regex(/^(?!\.)[A-Za-z0-9_.%~!*'()-]{1,200}\.json$/)
const filesSchema = z
  .record(fileNameSchema, z.string().max(48 * 1024))
  .refine((files) => Object.keys(files).length <= 128, 'too many files')

/**
 * The metadata a device needs for one decision, in one message, so that it arrives whole or not at
 * all and costs no round trip. Untrusted: believed is only what verifies.
 */
export const offerSchema = z.object({ director: filesSchema, image: filesSchema })
export type Offer = z.infer<typeof offerSchema>
