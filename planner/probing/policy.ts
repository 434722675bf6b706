import { z } from 'zod'
import { formatDuration } from '../../shared/units.ts'

const fields = {
  /** Runs of its application a second: latency is measured at that rate. Null: one after the other. */
  rateHz: z.number().min(0.5).max(1000).nullable(),
  /** What wins also runs for so long without a pause, ms. */
  soakMs: z.number().int().min(1_000).max(300_000).nullable(),
  /** Energy of a run, where devices have a meter. */
  energy: z.boolean(),
  /** `auto`: each device tries which number, and which cores, suit a variant. Null: as its class's profile says. */
  threads: z.union([z.literal('auto'), z.number().int().min(1).max(64)]).nullable(),
}

/** How probes of one model are made, beside the usual hot loop. */
export type ProbePolicy = z.infer<z.ZodObject<typeof fields>>

export const NO_POLICY: ProbePolicy = { rateHz: null, soakMs: null, energy: false, threads: null }

/** What is said of it; the rest stays as it is. */
export const policyChangeSchema = z.object(fields).partial()

/** As it is stored: what was added since is as usual. */
export const probePolicySchema = policyChangeSchema.transform(
  (said): ProbePolicy => ({ ...NO_POLICY, ...definedOf(said) }),
)

export function definedOf(policy: z.infer<typeof policyChangeSchema>): Partial<ProbePolicy> {
  return Object.fromEntries(Object.entries(policy).filter(([, value]) => value !== undefined))
}

/** `at 30 Hz, then 60s without a pause, with its energy, threads auto`; empty: as usual. */
export function printPolicy({ rateHz, soakMs, energy, threads }: ProbePolicy): string {
  return [
    ...(rateHz === null ? [] : [`at ${rateHz} Hz`]),
    ...(soakMs === null ? [] : [`then ${formatDuration(soakMs)} without a pause`]),
    ...(energy ? ['with its energy'] : []),
    ...(threads === null ? [] : [`threads ${threads}`]),
  ].join(', ')
}
