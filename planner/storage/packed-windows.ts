import { z } from 'zod'
import { type Observations, observationsSchema } from '../../shared/messages/index.ts'
import { packCounts, unpackCounts } from '../../shared/sketch/index.ts'
import { readJson } from './json.ts'

/** One window of a day, as a line in a table has it. */
export const dayPointSchema = z.tuple([
  /** Minute of the day in UTC at which it was received. */
  z.number().int(),
  z.number().int(),
  /** Drift, p95 in ms, hottest °C; null where nothing is known. */
  z.number().nullable(),
  z.number().nullable(),
  z.number().nullable(),
])
export type DayPoint = z.infer<typeof dayPointSchema>

/** Windows that a day keeps one by one; a device that tells more often has its day begun anew. */
const MOST_POINTS = 24

export interface HealthDay {
  readonly seen: Observations
  readonly points: readonly DayPoint[]
}

const packedSchema = observationsSchema.omit({ channels: true, latency: true }).extend({
  latency: z.object({ zeros: z.number(), first: z.number(), packed: z.string() }),
  /** Lengths of the channels, and their counts. */
  bins: z.string(),
  packed: z.string(),
  points: z.array(dayPointSchema),
})

/** Counts take one or two bytes each: a day of a device stays below 2 KB. */
export function packDay({ seen, points }: HealthDay): string {
  const { channels, latency, ...rest } = seen
  const { counts, ...buckets } = latency
  return JSON.stringify({
    ...rest,
    latency: { ...buckets, packed: packCounts(counts) },
    bins: packCounts(channels.map(({ length }) => length)),
    packed: packCounts(channels.flat()),
    points: points.slice(-MOST_POINTS),
  })
}

export function unpackDay(text: string): HealthDay {
  const { latency, bins, packed, points, ...rest } = readJson(packedSchema, text)
  const { packed: counts, ...buckets } = latency
  const all = unpackCounts(packed)
  let at = 0
  const channels = unpackCounts(bins).map((length) => {
    at += length
    return all.slice(at - length, at)
  })
  return {
    seen: { ...rest, latency: { ...buckets, counts: unpackCounts(counts) }, channels },
    points,
  }
}
