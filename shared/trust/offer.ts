import { z } from 'zod'
import { parseJsonText } from '../json.ts'
import { TrustError } from './errors.ts'

/** A name may carry an encoded role and a version; never a way out of a folder. */
const fileNameSchema = z.string().regex(/^(?!\.)[A-Za-z0-9_.%~!*'()-]{1,200}\.json$/)
const filesSchema = (maxBytes: number) =>
  z
    .record(fileNameSchema, z.string().max(maxBytes))
    .refine((files) => Object.keys(files).length <= 128, 'too many files')

/**
 * The metadata a device needs for one decision, in one message, so that it arrives whole or not at
 * all and costs no round trip. Untrusted: believed is only what verifies.
 */
export const offerSchema = z.object({
  director: filesSchema(48 * 1024),
  image: filesSchema(48 * 1024),
})
export type Offer = z.infer<typeof offerSchema>

/** What is longer than a message may be travels as an artifact: files of the image repository, as JSON. */
export const MAX_IMAGE_FILES_BYTES = 4 * 1024 * 1024
export const imageFilesSchema = filesSchema(1024 * 1024)

export function printImageFiles(files: Offer['image']): Buffer {
  return Buffer.from(JSON.stringify(files))
}

/** @throws TrustError `malformed-metadata` */
export function parseImageFiles(bytes: Uint8Array): Offer['image'] {
  const json = parseJsonText(bytes)
  const files = imageFilesSchema.safeParse(json.ok ? json.value : undefined)
  if (files.success) return files.data
  throw new TrustError('malformed-metadata', 'what came as files of the image repository is none')
}
