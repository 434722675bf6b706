import { z } from 'zod'
import { healthGateSchema } from '../health/index.ts'
import { gateSchema } from './gates.ts'
import { waveSchema } from './waves.ts'

/** How the operator wants a model rolled out; kept with the model, for classes that appear later. */
export const rolloutOptionsSchema = z.object({
  waves: z.array(waveSchema).min(1),
  gate: gateSchema,
  approval: z.boolean(),
  /** On abort, devices that run the new variant get the one they had before. */
  revert: z.boolean(),
  /** What a wave must show in the field; null: nobody watches. */
  health: healthGateSchema.nullable().default(null),
})
export type RolloutOptions = z.infer<typeof rolloutOptionsSchema>
