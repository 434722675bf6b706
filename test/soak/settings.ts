import { parseArgs } from 'node:util'
import { z } from 'zod'

/** `npm run soak -- --kills 1000 --seed 7 --agents 4 --pace-ms 600` */
const settingsSchema = z.object({
  kills: z.coerce.number().int().positive().default(1000),
  seed: z.coerce.number().int().nonnegative(),
  agents: z.coerce.number().int().min(1).max(64).default(4),
  /** Mean pause between two kills from outside; fail points kill besides. */
  'pace-ms': z.coerce.number().int().positive().default(600),
  /** Keeps state and logs of the run here instead of removing them. */
  keep: z.string().optional(),
})
export type SoakSettings = z.infer<typeof settingsSchema>

/** @throws where an option is none, or has no such value */
export function soakSettings(args: readonly string[]): SoakSettings {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args: [...args],
    options: { kills: text, seed: text, agents: text, 'pace-ms': text, keep: text },
  })
  const seed = values.seed ?? String(Math.floor(Math.random() * 2 ** 31))
  return settingsSchema.parse({ ...values, seed })
}
