import { z } from 'zod'

/** What runs of one model cost, by a meter of the device. Energies in mJ, powers in W. */
export const energyRecordSchema = z.object({
  /** What counted: `rapl`, `hwmon`, `battery`. */
  meter: z.string().max(32),
  /** What it covers, in words: `package-0`, `ina3221 VDD_IN`. */
  covers: z.string().max(256),
  /** Of one run, beyond what the device draws at rest. */
  perRunMj: z.number(),
  /** Of windows of runs, 95 %. */
  ci95: z.tuple([z.number(), z.number()]),
  /** While it ran, and at rest before and after. */
  watts: z.number(),
  idleWatts: z.number(),
  runs: z.number().int(),
  ms: z.number(),
  /** Runs began so often a second; absent: one after the other. */
  rateHz: z.number().positive().optional(),
})
export type EnergyRecord = z.infer<typeof energyRecordSchema>
