import { z } from 'zod'

/** How many devices are told in a minute, in the words of AWS IoT Jobs' rollout configuration. */
export const rateSchema = z
  .object({
    maximumPerMinute: z.number().int().min(1).max(100_000),
    exponentialRate: z
      .object({
        baseRatePerMinute: z.number().int().min(1).max(100_000),
        incrementFactor: z.number().min(1.1).max(5),
        /** The rate is multiplied whenever so many more devices succeeded. */
        numberOfSucceededThings: z.number().int().min(1).max(1_000_000),
      })
      .optional(),
  })
  .refine(
    ({ maximumPerMinute, exponentialRate }) =>
      exponentialRate === undefined || exponentialRate.baseRatePerMinute <= maximumPerMinute,
    'a base rate above the maximum has nowhere to grow to',
  )
export type Rate = z.infer<typeof rateSchema>

/** Devices that may be told in a minute now that so many succeeded. */
export function ratePerMinute(
  { maximumPerMinute, exponentialRate }: Rate,
  succeeded: number,
): number {
  if (exponentialRate === undefined) return maximumPerMinute
  const { baseRatePerMinute, incrementFactor, numberOfSucceededThings } = exponentialRate
  const steps = Math.floor(succeeded / numberOfSucceededThings)
  return Math.min(maximumPerMinute, Math.floor(baseRatePerMinute * incrementFactor ** steps))
}
