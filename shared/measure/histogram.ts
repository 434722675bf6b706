/** Neighbouring buckets differ by 2 %: a bucket's middle is within 1 % of every value in it. */
const GROWTH = 1.02
const LOG_GROWTH = Math.log(GROWTH)

/**
 * Counts of times in logarithmic buckets, as [bucket, count] pairs in order of bucket; bucket b holds times about
 * 1.02ᵇ ns. Histograms of several devices add up, unlike percentiles.
 */
export type Histogram = [bucket: number, count: number][]

export function histogramOf(timesMs: Iterable<number>): Histogram {
  const counts = new Map<number, number>()
  for (const ms of timesMs) add(counts, Math.round(Math.log(Math.max(1, ms * 1e6)) / LOG_GROWTH), 1)
  return inOrder(counts)
}

export function mergeHistograms(histograms: Iterable<Histogram>): Histogram {
  const counts = new Map<number, number>()
  for (const histogram of histograms)
    for (const [bucket, count] of histogram) add(counts, bucket, count)
  return inOrder(counts)
}

/** In ms, to 1 %; NaN of an empty histogram. */
export function histogramQuantile(histogram: Histogram, share: number): number {
  const total = histogram.reduce((sum, [, count]) => sum + count, 0)
  let passed = 0
  for (const [bucket, count] of histogram) {
    passed += count
    if (passed >= share * total) return GROWTH ** bucket / 1e6
  }
  return Number.NaN
}

/**
 * The two tallest separate peaks lie this far apart, as a ratio ≥ 1; 1 where there is one peak. A device that
 * switches clocks or cores while it is measured shows two.
 */
export function peakDistance(histogram: Histogram): number {
  const total = histogram.reduce((sum, [, count]) => sum + count, 0)
  const counts = new Map(histogram)
  const smooth = ([bucket]: readonly [number, number]) =>
    (counts.get(bucket - 1) ?? 0) + (counts.get(bucket) ?? 0) + (counts.get(bucket + 1) ?? 0)
  const tallest = [...histogram].sort((a, b) => smooth(b) - smooth(a))
  const [first] = tallest
  if (first === undefined) return 1
  // A second mode holds at least a fifth of the samples about it, with a valley of half its height between.
  const second = tallest.find((one) => {
    const [low, high] = one[0] < first[0] ? [one[0], first[0]] : [first[0], one[0]]
    const between = range(low + 1, high).map((bucket) => smooth([bucket, 0]))
    return smooth(one) >= total / 5 && Math.min(Infinity, ...between) < smooth(one) / 2
  })
  return second === undefined ? 1 : GROWTH ** Math.abs(second[0] - first[0])
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i)
}

function add(counts: Map<number, number>, bucket: number, count: number): void {
  counts.set(bucket, (counts.get(bucket) ?? 0) + count)
}

function inOrder(counts: ReadonlyMap<number, number>): Histogram {
  return [...counts].sort(([a], [b]) => a - b)
}
