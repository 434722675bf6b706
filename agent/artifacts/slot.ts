import { z } from 'zod'
import { digestSchema } from '../../shared/digest-schema.ts'
import { modelNameSchema } from '../../shared/ids.ts'
import { openWord } from '../../shared/open-words.ts'
import { RUNTIME_NAMES, RUNTIMES, type RuntimeName } from '../../shared/runtime/index.ts'
import { INSTALLED_MODEL_FILE } from './installed-model.ts'

/** `slot.json`: what an application, perhaps older than the agent, may want to know of the variant beside it. */
export const slotSchema = z.object({
  v: z.literal(1),
  model: modelNameSchema,
  variant: digestSchema,
  bytes: z.number().int().positive(),
  runtime: openWord(RUNTIME_NAMES),
  scheme: z.string(),
  /** Of the model; null where its planner did not say it, or an older agent wrote this. */
  revision: z.number().int().positive().nullable().default(null),
  class: z.string(),
  counter: z.number().int().positive(),
  installedAt: z.iso.datetime(),
})
export type Slot = z.infer<typeof slotSchema>

/** A slot that this agent can fill. */
export type NewSlot = Slot & { readonly runtime: RuntimeName }

export function modelFileOf(runtime: RuntimeName): string {
  return `model.${RUNTIMES[runtime].format}`
}

/** The model among the files of a slot, whatever its format is called. */
export function modelFileAmong(names: readonly string[]): string | undefined {
  return names.find((name) => name.startsWith('model.') && name !== INSTALLED_MODEL_FILE)
}
