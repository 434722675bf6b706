import { parseArgs } from 'node:util'
import { z } from 'zod'
import { UsageError } from '../../shared/errors.ts'

const share = z.coerce.number().min(0).max(1)
const count = z.coerce.number().int().nonnegative()

/** `npm run simulate -- --devices 1000 --classes 4 --json`; every option with what it means is in `test/simulate/README.md`. */
const settingsSchema = z.object({
  devices: z.coerce.number().int().min(1).max(50_000),
  /** Boards that devices take on in turns, as far as there are so many. */
  classes: z.coerce.number().int().min(1).max(64).default(4),
  seed: count.default(1),
  /** Share of the fleet that leaves, and comes back, in a minute. */
  churn: share.default(0),
  /** Share of devices that fetch what they install, and check its digest. */
  downloads: share.default(0),
  /** Share of those that fetch it from a copy (`--artifacts-url`), and not block by block through the broker. */
  pull: share.default(0),
  /** Share that verifies every signature as an agent does; the others believe what parses. */
  verify: share.default(0.01),
  slow: share.default(0),
  /** Share that reads nothing any more in the rollout: half of them before they hear of it, half with blocks on the way. */
  frozen: share.default(0),
  liars: share.default(0),
  /** Of devices that say a thousand reports a second from their birth on. */
  chatty: count.default(0),
  /** Connections that are being made at a time. */
  connecting: z.coerce.number().int().positive().default(500),
  waves: z.string().default('1,10%,100%'),
  'probe-ms': count.default(50),
  'install-ms': count.default(50),
  /** A model of so many weights in place of the demo's 150 KB: of int8, bytes. */
  weights: z.coerce.number().int().min(4096).max(16_000_000).optional(),
  /** Largest variant that may be built: with 70000 there is one, and planning is short. */
  'max-bytes': z.coerce.number().int().positive().optional(),
  /** So long the fleet is watched while it does nothing, s. */
  idle: count.default(0),
  /** All sockets break at once, so many times. */
  storms: count.default(0),
  /** Longest that any phase may take, s. */
  patience: z.coerce.number().int().positive().default(1200),
  /** `mqtt://host:port` of a broker that is there; absent: the embedded one. */
  broker: z.string().optional(),
  'secret-file': z.string().optional(),
  /** `postgres://…`; absent: SQLite. */
  database: z.string().optional(),
  /** The last phase: with `plan`, what is kept is where others go on `--from`. */
  until: z.enum(['births', 'plan', 'rollout']).default('rollout'),
  /** What an earlier run kept: its files are built already, and every class measures them anew. */
  from: z.string().optional(),
  /** Keeps the planner's folder and log here. */
  keep: z.string().optional(),
  json: z.boolean().default(false),
})
export type Settings = z.infer<typeof settingsSchema>

/** @throws UsageError */
export function simulateSettings(args: readonly string[]): Settings {
  const text = { type: 'string' } as const
  const names = Object.keys(settingsSchema.shape).filter((name) => name !== 'json')
  const options = {
    ...Object.fromEntries(names.map((name) => [name, text])),
    json: { type: 'boolean' } as const,
  }
  try {
    const parsed = settingsSchema.safeParse(parseArgs({ args: [...args], options }).values)
    if (parsed.success) return parsed.data
    const [issue] = parsed.error.issues
    throw new UsageError(`--${issue?.path.join('.')}: ${issue?.message}`)
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(
      `${(error as Error).message.split('\n')[0]}; there are --${names.join(', --')}, --json`,
    )
  }
}
