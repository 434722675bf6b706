import { NOISE } from '../../shared/measure/index.ts'
import { formatBytes, formatMs, formatRatio } from '../../shared/units.ts'
import type { Measured, ObjectiveName } from './measured.ts'

/**
 * Overlapping intervals excuse no more than this: beyond it the likelier of two badly measured variants is
 * the better bet, since being wrong costs less than what is given away for certain.
 */
const OVERLAP_REACH = 0.15

export interface Objective {
  readonly name: ObjectiveName
  /** Smaller is better. */
  value(variant: Measured): number
  /** Are these two within what measuring again would change? */
  tied(a: Measured, b: Measured): boolean
  print(variant: Measured): string
}

/**
 * Latencies are compared by their ratio to float32 where every candidate has one: candidates were never
 * measured in turns with each other, but each was with float32, so drift between runs cancels.
 */
export function objectiveFor(name: ObjectiveName, candidates: readonly Measured[]): Objective {
  return OBJECTIVE_OF[name](candidates)
}

const OBJECTIVE_OF: Record<ObjectiveName, (candidates: readonly Measured[]) => Objective> = {
  latency: (candidates) => (candidates.every((c) => c.latency.ratio) ? byRatio : byMs),
  size: () => bySize,
  memory: () => byMemory,
}

const byRatio: Objective = {
  name: 'latency',
  value: (v) => ratioOf(v).p50,
  tied: (a, b) => alike(ratioOf(a), ratioOf(b)),
  print: (v) => `${formatRatio(ratioOf(v).p50)} float32's latency (${formatMs(v.latency.p50Ms)})`,
}

const byMs: Objective = {
  name: 'latency',
  value: (v) => v.latency.p50Ms,
  tied: (a, b) => alike(inMs(a), inMs(b)),
  print: (v) => formatMs(v.latency.p50Ms),
}

const bySize: Objective = {
  name: 'size',
  value: (v) => v.bytes,
  tied: (a, b) => a.bytes === b.bytes,
  print: (v) => formatBytes(v.bytes),
}

const byMemory: Objective = {
  name: 'memory',
  value: (v) => v.memoryBytes,
  tied: (a, b) => near(a.memoryBytes, b.memoryBytes),
  print: (v) => `${formatBytes(v.memoryBytes)} of memory`,
}

interface Estimate {
  readonly p50: number
  readonly ci95: readonly [number, number]
}

function ratioOf({ latency }: Measured): Estimate {
  return latency.ratio ?? { p50: 1, ci95: [1, 1] }
}

function inMs({ latency }: Measured): Estimate {
  return { p50: latency.p50Ms, ci95: latency.ci95 }
}

function alike(a: Estimate, b: Estimate): boolean {
  return near(a.p50, b.p50) || (near(a.p50, b.p50, OVERLAP_REACH) && overlap(a.ci95, b.ci95))
}

/** Within a share of each other. */
export function near(a: number, b: number, share = NOISE): boolean {
  return Math.max(a, b) <= Math.min(a, b) * (1 + share)
}

function overlap(a: readonly [number, number], b: readonly [number, number]): boolean {
  return a[0] <= b[1] && b[0] <= a[1]
}
