import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { z } from 'zod'
import type { Digest } from '../../shared/digest.ts'
import { type Observations, observationsSchema } from '../../shared/messages/index.ts'
import { packCounts, unpackCounts } from '../../shared/sketch/index.ts'
import { readJson } from './json.ts'

/** One window of a day: minute in UTC at which it was received, inferences, drift, p95 in ms, hottest °C; null: not known. */
export type DayPoint = readonly [
  minute: number,
  inferences: number,
  drift: number | null,
  p95Ms: number | null,
  celsius: number | null,
]
const POINT_COUNTS = 5

/** Windows that a day keeps one by one; of a device that tells more often the last ones. */
const MOST_POINTS = 24

export interface HealthDay {
  readonly seen: Observations
  readonly points: readonly DayPoint[]
}

const packedSchema = observationsSchema
  .omit({ channels: true, latency: true, variant: true })
  .extend({
    latency: z.object({ zeros: z.number(), first: z.number(), packed: z.string() }),
    /** Lengths of the channels, and their counts. */
    bins: z.string(),
    packed: z.string(),
    points: z.string(),
  })

/** Counts take one or two bytes each: a day of a device stays below 2 KB. */
export function packDay({ seen, points }: HealthDay): string {
  const { channels, latency, variant: _, ...rest } = seen
  const { counts, ...buckets } = latency
  const text = JSON.stringify({
    ...rest,
    latency: { ...buckets, packed: packCounts(counts) },
    bins: packCounts(channels.map(({ length }) => length)),
    packed: packCounts(channels.flat()),
    points: packCounts(points.slice(-MOST_POINTS).flatMap(pointCounts)),
  })
  return deflateRawSync(text).toString('base64')
}

/** @param variant which the row is named by */
export function unpackDay(text: string, variant: Digest): HealthDay {
  const { latency, bins, packed, points, ...rest } = readJson(packedSchema, inflated(text))
  const { packed: counts, ...buckets } = latency
  const all = unpackCounts(packed)
  let at = 0
  const channels = unpackCounts(bins).map((length) => {
    at += length
    return all.slice(at - length, at)
  })
  const seen = { variant, ...rest, latency: { ...buckets, counts: unpackCounts(counts) }, channels }
  return { seen, points: pointsOf(unpackCounts(points)) }
}

/** A row that we wrote ourselves. */
function inflated(text: string): string {
  return inflateRawSync(Buffer.from(text, 'base64')).toString('utf8')
}

/** Drift and ms in hundredths, degrees from −100 on; each one more, and 0 for what is not known. */
function pointCounts([minute, inferences, drift, p95Ms, celsius]: DayPoint): number[] {
  const known = (value: number | null, scale: number, zero = 0) =>
    value === null ? 0 : Math.max(0, Math.round((value - zero) * scale)) + 1
  return [minute, inferences, known(drift, 100), known(p95Ms, 100), known(celsius, 1, -100)]
}

function pointsOf(counts: readonly number[]): DayPoint[] {
  const value = (count: number, scale: number, zero = 0) =>
    count === 0 ? null : (count - 1) / scale + zero
  return Array.from({ length: counts.length / POINT_COUNTS }, (_, i): DayPoint => {
    const [minute = 0, inferences = 0, drift = 0, p95 = 0, celsius = 0] = counts.slice(
      i * POINT_COUNTS,
      (i + 1) * POINT_COUNTS,
    )
    return [minute, inferences, value(drift, 100), value(p95, 100), value(celsius, 1, -100)]
  })
}
