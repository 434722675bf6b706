import { z } from 'zod'
import { digestSchema } from '../../shared/digest-schema.ts'
import { modelNameSchema } from '../../shared/ids.ts'
import { MODEL_FORMAT_NAMES, RUNTIME_NAMES, RUNTIMES } from '../../shared/runtime/runtime.ts'

/** `slot.json`: what an application may want to know of the variant beside it. */
export const slotSchema = z.object({
  v: z.literal(1),
  model: modelNameSchema,
  variant: digestSchema,
  bytes: z.number().int().positive(),
  runtime: z.enum(RUNTIME_NAMES),
  scheme: z.string(),
  class: z.string(),
  counter: z.number().int().positive(),
  installedAt: z.iso.datetime(),
})
export type Slot = z.infer<typeof slotSchema>

/** File names a slot may hold, one per model format. */
export const MODEL_FILES = MODEL_FORMAT_NAMES.map((format) => `model.${format}`)

export function modelFileOf(slot: Pick<Slot, 'runtime'>): string {
  return `model.${RUNTIMES[slot.runtime].format}`
}
