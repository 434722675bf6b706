import { z } from 'zod'
import { ACCELERATORS, ARCHITECTURES } from '../messages/index.ts'
import { isPackaged, RUNTIME_NAMES, type RuntimeName } from '../runtime/index.ts'

const text = z.string().min(1)

/** `*` stands for anything in one segment, `{triplet}` for the folder of the architecture: `aarch64-linux-gnu`. */
const pattern = z.string().regex(/^\/(?!.*\/\.\.?(\/|$))[\w./*{}+-]+$/, 'an absolute path')

const native = z
  .enum(RUNTIME_NAMES)
  .refine((name: RuntimeName) => !isPackaged(name), 'comes with this program, not as a library')

const rowSchema = z.strictObject({
  runtime: native,
  /** All where absent. */
  architectures: z.array(z.enum(ARCHITECTURES)).min(1).optional(),
  /** The best first. */
  paths: z.array(pattern).min(1),
  /** Where such devices have it, and who says so. */
  source: text,
})

export const nativeTableSchema = z.strictObject({
  libraries: z.array(rowSchema),
  delegates: z.array(
    rowSchema.extend({
      /** How planner and device call it. */
      name: text,
      /** Only where the device reports one of them. */
      accelerators: z.array(z.enum(ACCELERATORS)).min(1),
      /** What it is made with unless somebody says otherwise. */
      options: z.record(z.string(), z.string()),
      /** Options without which it takes nothing, and which only the operator knows. */
      asks: z.array(text).optional(),
    }),
  ),
})

/** Where libraries and delegates of devices usually lie. */
export type NativeTable = z.infer<typeof nativeTableSchema>
