import { sqnrDb } from '../../../shared/measure/index.ts'
import { sizeOf } from '../../../shared/tensors.ts'
import { DEAD_DB, type Death, type OutputLevel, type SliceLevel } from './level.ts'
import type { Channels, Part } from './slices.ts'
import { spreadOf } from './spread.ts'

/** One output on all samples, in float and as the file gives it. */
export interface Answered {
  readonly name: string
  /** Null where it cannot be told. */
  readonly shape: readonly number[] | null
  readonly channels: readonly Channels[]
  readonly expected: readonly Float32Array[]
  readonly found: readonly Float32Array[]
}

/** A channel whose range is so many times smaller than the next larger one's does not share its codes. */
const APART = 8

/** Channels this near to the largest of their group count as much as it does. */
const COUNTS = 4

/** Numbers that move less than this share of themselves are constant. */
const VARIES = 0.01

export function judge(answered: Answered): OutputLevel {
  const bySample = answered.expected.flatMap((values, i) => {
    const one = { ...answered, expected: [values], found: [answered.found[i] ?? NONE] }
    return channelStats(one, 1, Number.POSITIVE_INFINITY)
  })
  const slices = answered.channels.flatMap((channels) => judgeSlices(answered, channels))
  return {
    name: answered.name,
    sqnrDb: ratioOf(bySample),
    spreadDb: spreadOf(bySample),
    slices,
  }
}

function judgeSlices(answered: Answered, { axis, parts, alike }: Channels): SliceLevel[] {
  const shape = answered.shape ?? []
  const size = shape[axis] ?? 0
  const inner = sizeOf(shape.slice(axis + 1))
  if (size < 2 || inner < 1) return []
  const stats = channelStats(answered, size, inner)
  const groups = parts.flatMap((part) =>
    alike ? [placesIn(part)] : byRange(placesIn(part), stats),
  )
  if (groups.length < 2) return []
  const rank = shape.length
  return groups.map((places) => {
    const members = places.map((place) => stats[place] as ChannelStats)
    return {
      name: `${answered.name}${indexOf(places, axis, rank)}`,
      sqnrDb: ratioOf(members),
      died: deathOf(members),
    }
  })
}

interface ChannelStats {
  signal: number
  noise: number
  min: number
  max: number
  foundMin: number
  foundMax: number
}

/** @param inner numbers of a channel that lie together */
function channelStats(
  { expected, found }: Answered,
  channels: number,
  inner: number,
): ChannelStats[] {
  const stats = Array.from({ length: channels }, (): ChannelStats => {
    const none = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY }
    return { signal: 0, noise: 0, ...none, foundMin: none.min, foundMax: none.max }
  })
  expected.forEach((values, sample) => {
    const others = found[sample] ?? NONE
    // Runs of one channel: a division for each number would take longer than the rest.
    for (let i = 0, channel = 0; i < values.length; channel = (channel + 1) % channels) {
      const end = Math.min(values.length, i + inner)
      const one = stats[channel] as ChannelStats
      for (; i < end; i += 1) count(one, values[i] as number, others[i] ?? Number.NaN)
    }
  })
  return stats
}

const NONE = new Float32Array(0)

/** What is no number in float has no distance; what becomes none is lost. */
function count(stats: ChannelStats, value: number, other: number): void {
  if (!Number.isFinite(value)) return
  const error = Number.isFinite(other) ? value - other : value
  stats.signal += value * value
  stats.noise += error * error
  if (value < stats.min) stats.min = value
  if (value > stats.max) stats.max = value
  if (other < stats.foundMin) stats.foundMin = other
  if (other > stats.foundMax) stats.foundMax = other
}

function placesIn({ start, end }: Part): number[] {
  return Array.from({ length: end - start }, (_, i) => start + i)
}

/** Groups with a gap between their largest numbers. */
function byRange(places: readonly number[], stats: readonly ChannelStats[]): number[][] {
  const reach = (place: number) => reachOf(stats[place] as ChannelStats)
  const alive = places.filter((place) => reach(place) > 0)
  if (alive.length === 0) return [[...places]]
  const sorted = [...alive].sort((a, b) => reach(b) - reach(a))
  const groups: number[][] = []
  sorted.forEach((place, i) => {
    const before = sorted[i - 1]
    if (before === undefined || reach(before) > APART * reach(place)) groups.push([])
    groups.at(-1)?.push(place)
  })
  return groups.map((group) => group.sort((a, b) => a - b))
}

function reachOf({ min, max }: ChannelStats): number {
  return Math.max(0, -min, max)
}

function ratioOf(stats: readonly ChannelStats[]): number {
  const signal = stats.reduce((sum, one) => sum + one.signal, 0)
  const noise = stats.reduce((sum, one) => sum + one.noise, 0)
  return sqnrDb(signal, noise)
}

function deathOf(members: readonly ChannelStats[]): Death | null {
  const largest = Math.max(...members.map(reachOf))
  const counting = members.filter((one) => reachOf(one) * COUNTS >= largest)
  const varying = counting.filter(({ min, max }) => max - min > VARIES * Math.max(-min, max))
  if (varying.length === 0) return null
  const still = varying.filter(({ foundMin, foundMax }) => !(foundMax > foundMin))
  if (2 * still.length >= varying.length) return 'one-code'
  return ratioOf(members) < DEAD_DB ? 'noise' : null
}

/** As one would write it in NumPy, from the axis on. */
function indexOf(places: readonly number[], axis: number, rank: number): string {
  const runs: Part[] = []
  for (const place of places) {
    const open = runs.at(-1)
    if (open !== undefined && open.end === place)
      runs[runs.length - 1] = { ...open, end: place + 1 }
    else runs.push({ start: place, end: place + 1 })
  }
  const shown = runs
    .slice(0, 3)
    .map(({ start, end }) => (end === start + 1 ? `${start}` : `${start}:${end}`))
  const more = runs.length > 3 ? `, and ${runs.length - 3} more` : ''
  const before = axis === rank - 1 ? '..., ' : ':, '
  return `[${before}${shown.join(' and ')}${more}]`
}
