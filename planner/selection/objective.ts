import { NOISE } from '../../shared/measure/index.ts'
import { formatBytes, formatMs, formatRatio } from '../../shared/units.ts'
import type { Compare, Comparison } from './comparison.ts'
import type { Measured, ObjectiveName } from './measured.ts'

export interface Objective {
  readonly name: ObjectiveName
  /** Smaller is better. */
  value(variant: Measured): number
  /** Is `a` shown to be better than `b`, by more than matters? */
  better(a: Measured, b: Measured): boolean
  /** May `a`, the smaller, stand for `b`? */
  asGood(a: Measured, b: Measured): boolean
  print(variant: Measured): string
}

/** What is known of latencies; `leader` is the fastest as far as one can tell. */
export interface Latencies {
  readonly compare: Compare
  readonly leader: Measured
}

export function objectiveFor(name: ObjectiveName, latencies: Latencies): Objective {
  return OBJECTIVE_OF[name](latencies)
}

const OBJECTIVE_OF: Record<ObjectiveName, (latencies: Latencies) => Objective> = {
  latency: ({ compare, leader }) => ({
    name: 'latency',
    value: (v) => compare(v, leader).p50,
    better: (a, b) => isFaster(compare, a, b),
    asGood: (a, b) => !isSlower(compare(a, b)),
    print: printLatency,
  }),
  size: () => ({
    name: 'size',
    value: (v) => v.bytes,
    better: (a, b) => a.bytes < b.bytes,
    asGood: (a, b) => a.bytes <= b.bytes,
    print: (v) => formatBytes(v.bytes),
  }),
  memory: () => ({
    name: 'memory',
    value: (v) => v.memoryBytes,
    better: (a, b) => a.memoryBytes < b.memoryBytes && !near(a.memoryBytes, b.memoryBytes),
    asGood: (a, b) => a.memoryBytes <= b.memoryBytes || near(a.memoryBytes, b.memoryBytes),
    print: (v) => `${formatBytes(v.memoryBytes)} of memory`,
  }),
}

/** A latency ratio at or below this is a gain that matters. */
export const GAIN = 1 / (1 + NOISE)

/** Shown faster: the whole interval lies beyond 1 by more than what matters. */
export function isFaster(compare: Compare, a: Measured, b: Measured): boolean {
  return a.key !== b.key && compare(a, b).ci95[1] <= GAIN
}

/**
 * Slower by more than matters as far as one can tell, and shown to be slower at all: that is no tie. Where both were disturbed
 * little can be shown, and what one can tell is all there is.
 */
function isSlower({ p50, ci95: [low], disturbed }: Comparison): boolean {
  return p50 >= 1 / GAIN && (low > 1 || disturbed)
}

/**
 * The fastest as far as one can tell: begins at the least milliseconds and goes on to whoever is ahead of that one, by
 * the surest comparison there is, until nobody is.
 */
export function fastest(candidates: readonly Measured[], compare: Compare): Measured {
  const inOrder = [...candidates].sort(
    (a, b) => a.latency.p50Ms - b.latency.p50Ms || a.bytes - b.bytes || a.key.localeCompare(b.key),
  )
  let leader = inOrder[0] as Measured
  const led = new Set([leader])
  for (;;) {
    const behind = leader
    const ahead = inOrder
      .filter((one) => !led.has(one) && compare(one, behind).p50 < 1)
      .sort((a, b) => compare(a, behind).p50 - compare(b, behind).p50)[0]
    if (!ahead) return leader
    leader = ahead
    led.add(ahead)
  }
}

function printLatency({ latency }: Measured): string {
  const { ratio, p50Ms } = latency
  return ratio
    ? `${formatRatio(ratio.p50)} float32's latency (${formatMs(p50Ms)})`
    : formatMs(p50Ms)
}

/** Within a share of each other. */
export function near(a: number, b: number, share = NOISE): boolean {
  return Math.max(a, b) <= Math.min(a, b) * (1 + share)
}
