import { z } from 'zod'
import { digestSchema } from '../../../shared/digest-schema.ts'
import { openWord } from '../../../shared/open-words.ts'
import { RUNTIME_NAMES } from '../../../shared/runtime/index.ts'

export const packageViewSchema = z.object({
  digest: digestSchema,
  runtime: openWord(RUNTIME_NAMES),
  version: z.string(),
  architecture: z.string(),
  /** The oldest C library it runs with; null: not known. */
  libc: z.string().nullable(),
  /** As it travels, and as it lies on a device. */
  bytes: z.number(),
  unpackedBytes: z.number(),
  /** Of the library that devices open. */
  library: digestSchema,
  licenses: z.array(z.string()),
  source: z.string(),
  addedBy: z.string(),
  addedAt: z.string(),
  /** The one that devices get of its runtime and architecture. */
  newest: z.boolean(),
  /** Signed by the release keys: no device is given it before. */
  released: z.boolean(),
  devices: z.object({
    /** Have it as the present one. */
    have: z.array(z.string()),
    /** Take libraries, are of its architecture, and get it. */
    due: z.array(z.string()),
    failed: z.array(z.object({ device: z.string(), error: z.string() })),
  }),
})
export type PackageView = z.infer<typeof packageViewSchema>
