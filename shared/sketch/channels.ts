import { z } from 'zod'

/** Channels that a reference has at most; a window of counts stays below 4 KiB with them. */
export const MOST_CHANNELS = 32
/** Values of a channel of numbers are counted in so many parts of equal share in the reference. */
export const BINS = 10
/** Classes that are counted one by one; the rest are counted together. */
export const MOST_CLASSES = 32

const countSchema = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER)
export const countsSchema = z.array(countSchema).max(MOST_CLASSES + 1)

/** What is watched of inputs and outputs: one number per inference each. */
export const channelSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('numbers'),
    name: z.string().max(120),
    /** Ascending; a value belongs to the first edge that is not below it, and above all to the last bin. */
    edges: z
      .array(z.number())
      .min(1)
      .max(BINS + 1),
    counts: countsSchema,
  }),
  z.object({
    kind: z.literal('classes'),
    name: z.string().max(120),
    /** Counted one by one, in this order; the last count is of all others. */
    classes: z.array(z.number().int().nonnegative()).max(MOST_CLASSES),
    counts: countsSchema,
  }),
])
export type Channel = z.infer<typeof channelSchema>

export function binsOf(channel: Channel): number {
  return channel.kind === 'numbers' ? channel.edges.length + 1 : channel.classes.length + 1
}

/** Which bin of a channel a value is counted in. */
export function binOf(channel: Channel, value: number): number {
  if (channel.kind === 'classes') {
    const at = channel.classes.indexOf(value)
    return at < 0 ? channel.classes.length : at
  }
  const { edges } = channel
  let low = 0
  let high = edges.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (value <= (edges[middle] as number)) high = middle
    else low = middle + 1
  }
  return low
}

/** What is nearer to each other than this share of the largest is one value: rounding on its way moves it as far. */
const SAME = 1e-4

/**
 * A channel of numbers from what the reference shows of it: parts of equal share, so that each counts alike in a distance
 * (Yurdakul, "Statistical Properties of Population Stability Index", 2018, uses such parts). Edges lie between values, so that
 * rounding moves none over; a value that many samples share makes fewer, wider parts, and one that fills a part at either end
 * is told from what lies beyond it: of a constant any change is seen.
 */
export function numbersChannel(name: string, values: readonly number[]): Channel {
  const sorted = Float64Array.from(values).sort()
  const lowest = sorted[0] as number
  const highest = sorted[sorted.length - 1] as number
  const same = SAME * Math.max(Math.abs(lowest), Math.abs(highest), 1e-6)
  const edges = new Set<number>()
  for (let part = 1; part < BINS; part += 1) {
    const edge = edgeAfter(sorted, Math.ceil((part / BINS) * sorted.length) - 1, same)
    if (edge !== undefined) edges.add(edge)
  }
  const inner = [...edges].sort((a, b) => a - b)
  const first = inner[0] ?? Number.POSITIVE_INFINITY
  const last = inner.at(-1) ?? Number.NEGATIVE_INFINITY
  const below = sorted.findLast((value) => value <= first) as number
  const above = sorted.find((value) => value > last) as number
  if (below - lowest <= same) inner.unshift(lowest - same)
  if (highest - above <= same) inner.push(highest + same)
  return counted({ kind: 'numbers', name, edges: inner, counts: [] }, values)
}

/** Half way from the value at this rank to the next that differs; undefined after the last. */
function edgeAfter(sorted: Float64Array, rank: number, same: number): number | undefined {
  for (let next = rank + 1; next < sorted.length; next += 1) {
    const before = sorted[next - 1] as number
    const value = sorted[next] as number
    if (value - before > same) return (before + value) / 2
  }
  return undefined
}

/** The classes that the reference shows most; whatever else is answered is counted together. */
export function classesChannel(name: string, values: readonly number[]): Channel {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  const classes = [...counts]
    .sort(([a, m], [b, n]) => n - m || a - b)
    .slice(0, MOST_CLASSES)
    .map(([value]) => value)
    .sort((a, b) => a - b)
  return counted({ kind: 'classes', name, classes, counts: [] }, values)
}

function counted(channel: Channel, values: readonly number[]): Channel {
  const counts = new Array<number>(binsOf(channel)).fill(0)
  for (const value of values) {
    const bin = binOf(channel, value)
    counts[bin] = (counts[bin] as number) + 1
  }
  return { ...channel, counts }
}
