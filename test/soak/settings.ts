import { parseArgs } from 'node:util'
import { z } from 'zod'

/** `npm run soak -- --kills 1000 --seed 7 --agents 8 --life-ms 2000` */
const settingsSchema = z.object({
  kills: z.coerce.number().int().positive().default(1000),
  seed: z.coerce.number().int().nonnegative(),
  agents: z.coerce.number().int().min(1).max(64).default(8),
  /** Mean life of an agent once it is up, beside the time that took. */
  'life-ms': z.coerce.number().int().positive().default(2000),
  /** Keeps state and logs of the run here instead of removing them. */
  keep: z.string().optional(),
})
export type SoakSettings = z.infer<typeof settingsSchema>

/** @throws where an option is none, or has no such value */
export function soakSettings(args: readonly string[]): SoakSettings {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args: [...args],
    options: { kills: text, seed: text, agents: text, 'life-ms': text, keep: text },
  })
  const seed = values.seed ?? String(Math.floor(Math.random() * 2 ** 31))
  return settingsSchema.parse({ ...values, seed })
}
