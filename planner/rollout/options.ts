import { z } from 'zod'
import { labelKeySchema } from '../../shared/labels.ts'
import { type Selector, selectorSchema } from '../groups/index.ts'
import { healthGateSchema } from '../health/index.ts'
import { gateSchema } from './gates.ts'
import { rateSchema } from './rate.ts'
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
  /** Which devices it is for; absent: all of the class. Asked anew whenever devices or labels change. */
  where: selectorSchema.optional(),
  /** Devices that share this label's value get it all or none: `site`. */
  atomicBy: labelKeySchema.optional(),
  /** Windows of maintenance are not waited for. */
  atOnce: z.boolean().optional(),
  /** Absent: as many at once as a wave has. */
  rate: rateSchema.optional(),
})
export type RolloutOptions = z.infer<typeof rolloutOptionsSchema>

/** Every selector that decides over a rollout's devices. */
export function selectorsOf({
  where,
  waves,
}: Pick<RolloutOptions, 'where' | 'waves'>): readonly Selector[] {
  return [
    ...(where === undefined ? [] : [where]),
    ...waves.flatMap((w) => ('where' in w ? [w.where] : [])),
  ]
}

/** Whether what they do depends on devices' labels, and not on their numbers alone. */
export function asksWho(options: RolloutOptions): boolean {
  return options.atomicBy !== undefined || selectorsOf(options).length > 0
}
