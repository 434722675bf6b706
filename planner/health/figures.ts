import { histogramQuantile, type ProbeRecord } from '../../shared/measure/index.ts'
import type { Observations } from '../../shared/messages/index.ts'
import {
  type Distance,
  distanceFrom,
  QuantileSketch,
  type ReferenceSketch,
} from '../../shared/sketch/index.ts'

export interface Percentiles {
  readonly p50: number | null
  readonly p95: number | null
  readonly p99: number | null
}

/** How a model does, in one window or in several that were added up. Null: nothing is known of it. */
export interface Figures {
  readonly inferences: number
  readonly drift: number | null
  /** The channels that are furthest away, the furthest first. */
  readonly worst: readonly Distance[]
  readonly latencyMs: Percentiles | null
  /** What the device, or another of its class, measured of the variant before it was rolled out. */
  readonly probeMs: Percentiles | null
  readonly notFinite: number | null
  /** Inferences that were of another model or variant, by their shapes or their word. */
  readonly foreign: number
  readonly hottestCelsius: number | null
  readonly throttled: number | null
  readonly restarts: number
  readonly checkFailed: boolean | null
}

/** Below so many observations a percentile is a guess: the 99th of a hundred is the largest. */
const NEEDED = { p50: 20, p95: 100, p99: 500 } as const
const WORST_SHOWN = 3

export function figuresOf(
  seen: Observations,
  reference: ReferenceSketch | null,
  probeMs: Percentiles | null,
): Figures {
  const distances = (reference?.channels ?? [])
    .flatMap((channel, i) => distanceFrom(channel, seen.channels[i] ?? []) ?? [])
    .sort((a, b) => b.drift - a.drift || b.psi - a.psi)
  const invalid = seen.refused['not-finite'] ?? 0
  const all = Math.max(seen.inferences, invalid)
  return {
    inferences: seen.inferences,
    drift: distances[0]?.drift ?? null,
    worst: distances.slice(0, WORST_SHOWN),
    latencyMs: percentilesOf(seen),
    probeMs,
    notFinite: all === 0 ? null : invalid / all,
    foreign: (seen.refused['wrong-shape'] ?? 0) + (seen.refused['other-variant'] ?? 0),
    hottestCelsius: seen.host.hottestCelsius,
    throttled: seen.host.throttled,
    restarts: seen.host.restarts,
    checkFailed: seen.check && !seen.check.ok,
  }
}

function percentilesOf({ latency }: Observations): Percentiles | null {
  const sketch = QuantileSketch.from(latency)
  if (sketch.count === 0) return null
  const at = (name: keyof typeof NEEDED, share: number) =>
    sketch.count < NEEDED[name] ? null : sketch.quantile(share)
  return { p50: at('p50', 0.5), p95: at('p95', 0.95), p99: at('p99', 0.99) }
}

/** Of a probe's runs; what too few runs cannot tell is null. */
export function probePercentiles({ latency }: ProbeRecord): Percentiles {
  const { histogram, n, p50Ms, p99Ms } = latency
  const p95 = histogram && n >= NEEDED.p50 ? histogramQuantile(histogram, 0.95) : null
  return { p50: p50Ms, p95, p99: p99Ms }
}

/** Two windows of one variant as one: counts add up, of the host the worse. */
export function mergeObservations(a: Observations, b: Observations): Observations {
  const latency = QuantileSketch.from(a.latency)
  latency.merge(QuantileSketch.from(b.latency))
  const isSame = a.reference === b.reference
  const refused = { ...a.refused }
  for (const [why, times] of Object.entries(b.refused)) refused[why] = (refused[why] ?? 0) + times
  return {
    variant: b.variant,
    from: a.from < b.from ? a.from : b.from,
    windowMs: a.windowMs + b.windowMs,
    inferences: a.inferences + b.inferences,
    latency: latency.state(),
    reference: b.reference,
    // Counts in the bins of another reference are counts of something else.
    channels: isSame ? added(a.channels, b.channels) : b.channels,
    refused,
    host: {
      hottestCelsius: larger(a.host.hottestCelsius, b.host.hottestCelsius),
      throttled: larger(a.host.throttled, b.host.throttled),
      availableBytes: smaller(a.host.availableBytes, b.host.availableBytes),
      restarts: a.host.restarts + b.host.restarts,
    },
    check: b.check ?? a.check,
  }
}

function added(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number[][] {
  if (a.length === 0) return b.map((counts) => [...counts])
  return a.map((counts, i) => counts.map((count, bin) => count + (b[i]?.[bin] ?? 0)))
}

function larger(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b)
}

function smaller(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b)
}
