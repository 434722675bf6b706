import { Histogram } from './histogram.ts'
import { Levels } from './levels.ts'
import type { ChannelStatistics, SecondMoments, TensorStatistics } from './statistics.ts'

/** What observers with the same plans saw of different samples, as if one had seen them all. */
export function mergeStatistics(
  parts: readonly (readonly TensorStatistics[])[],
): readonly TensorStatistics[] {
  const [first = [], ...others] = parts
  return first.map((one, i) =>
    others.reduce((merged, part) => mergeTensor(merged, part[i] ?? merged), one),
  )
}

function mergeTensor(a: TensorStatistics, b: TensorStatistics): TensorStatistics {
  const min = Math.min(a.min, b.min)
  const max = Math.max(a.max, b.max)
  const histogram = new Histogram()
  histogram.merge(a.histogram, a.min, a.max)
  histogram.merge(b.histogram, b.min, b.max)
  const { bins, offset, width, zeros } = histogram
  const levels = new Levels()
  levels.merge(a.levels)
  levels.merge(b.levels)
  const movingWeight = a.movingWeight + b.movingWeight
  const moving = (one: number, other: number) =>
    (one * a.movingWeight + other * b.movingWeight) / (movingWeight || 1)
  return {
    tensor: a.tensor,
    count: a.count + b.count,
    min,
    max,
    movingMin: moving(a.movingMin, b.movingMin),
    movingMax: moving(a.movingMax, b.movingMax),
    movingWeight,
    histogram: { bins, offset, width, zeros },
    levels: levels.counts,
    channels: mergeChannels(a.channels, b.channels),
    moments: a.moments.map((one, i) => mergeMoments(one, b.moments[i])),
    ignored: a.ignored + b.ignored,
    nan: a.nan + b.nan,
  }
}

function mergeChannels(
  a: ChannelStatistics | null,
  b: ChannelStatistics | null,
): ChannelStatistics | null {
  if (a === null || b === null) return a ?? b
  const rows = a.rows + b.rows
  const mean = (one: Float64Array, other: Float64Array) =>
    one.map((value, i) => (value * a.rows + (other[i] as number) * b.rows) / rows)
  return {
    rows,
    means: mean(a.means, b.means),
    squares: mean(a.squares, b.squares),
    min: a.min.map((value, i) => Math.min(value, b.min[i] as number)),
    max: a.max.map((value, i) => Math.max(value, b.max[i] as number)),
  }
}

function mergeMoments(a: SecondMoments, b: SecondMoments | undefined): SecondMoments {
  if (b === undefined) return a
  const blocks = a.blocks.map((block, i) => {
    const other = b.blocks[i]?.sums
    return { ...block, sums: block.sums.map((sum, at) => sum + (other?.[at] ?? 0)) }
  })
  return { operator: a.operator, rows: a.rows + b.rows, blocks }
}
