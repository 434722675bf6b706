import {
  coefficientOfVariation,
  madOf,
  meanOf,
  medianCi95,
  medianOf,
  quantileOf,
  sorted,
} from '../statistics/index.ts'
import { histogramOf, peakDistance } from './histogram.ts'
import type { Block, Stopped, Warmup } from './latency-blocks.ts'
import type { LatencyRatio, LatencyRecord } from './latency-record.ts'
import { pairedRatio } from './paired-ratio.ts'
import { effectiveSize, theilSenSlope } from './series.ts'

/** Runs that a percentile needs at 99 % confidence. (MLPerf LoadGen, early stopping.) */
const NEEDED = { p90: 64, p99: 662 }
/** Below this many blocks their median has no 95 % interval; single runs then give it, too narrow. */
const BLOCKS_FOR_INTERVAL = 6

export function summarise(
  blocks: readonly Block[],
  warmup: Warmup,
  stopped: Stopped,
): LatencyRecord {
  const times = Float64Array.from(blocks.flatMap((block) => [...block.timesMs]))
  const ordered = sorted(times)
  const n = times.length
  const p50Ms = medianOf(ordered)
  const blockMediansMs = blocks.map(medianOfBlock)
  const histogram = histogramOf(times)
  const basis = blocks.length < BLOCKS_FOR_INTERVAL ? ordered : sorted(blockMediansMs)
  return {
    n,
    p50Ms,
    p50Ci95: including(medianCi95(basis), p50Ms),
    p90Ms: n >= NEEDED.p90 ? quantileOf(ordered, 0.9) : null,
    p99Ms: n >= NEEDED.p99 ? quantileOf(ordered, 0.99) : null,
    minMs: ordered[0] ?? 0,
    meanMs: meanOf(times),
    maxMs: ordered[n - 1] ?? 0,
    madMs: madOf(ordered),
    cv: coefficientOfVariation(times),
    blockMediansMs,
    effectiveN: effectiveSize(times),
    trend: relativeTrend(blocks, blockMediansMs, p50Ms),
    peakDistance: peakDistance(histogram),
    histogram,
    warmup,
    stopped,
  }
}

/** Neighbouring blocks make a pair, so that slow drift falls out of each ratio. */
export function ratioOfBlocks(ours: readonly Block[], theirs: readonly Block[]): LatencyRatio {
  const ratios = ours.flatMap((block, i) => {
    const other = theirs[i]
    return other === undefined ? [] : [medianOfBlock(block) / medianOfBlock(other)]
  })
  return { ...pairedRatio(ratios), rounds: ratios.length }
}

export function medianOfBlock(block: Block): number {
  return medianOf(sorted(block.timesMs))
}

function relativeTrend(blocks: readonly Block[], medians: readonly number[], p50: number): number {
  const middles = blocks.map((block) => (block.startMs + block.endMs) / 2)
  const span = (middles.at(-1) ?? 0) - (middles[0] ?? 0)
  return (theilSenSlope(middles, medians) * span) / p50
}

/** The median of all runs may lie a little outside the interval of block medians. */
function including([low, high]: [number, number], value: number): [number, number] {
  return [Math.min(low, value), Math.max(high, value)]
}
