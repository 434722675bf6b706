import { z } from 'zod'
import { UsageError } from '../../shared/errors.ts'
import type { Figures } from './figures.ts'

type Unit = 'number' | 'ms' | 'share' | '°C'

interface MetricRow {
  readonly unit: Unit
  /** May be limited by a multiple of what the device's probe measured. */
  readonly relative: boolean
  readonly what: string
  /** Null where nothing is known. `x`: as a multiple of the probe. */
  of(figures: Figures, x: boolean): number | null
}

const latency = (name: 'p50' | 'p95' | 'p99', what: string): MetricRow => ({
  unit: 'ms',
  relative: true,
  what,
  of: ({ latencyMs, probeMs }, x) => {
    const seen = latencyMs?.[name] ?? null
    if (!x) return seen
    const measured = probeMs?.[name] ?? null
    return seen === null || measured === null || measured === 0 ? null : seen / measured
  },
})

/** What can be asked of how a model does. */
export const HEALTH_METRICS = {
  drift: {
    unit: 'number',
    relative: false,
    what: 'largest PSI of an input or output against the reference, beyond what chance explains',
    of: ({ drift }) => drift,
  },
  p50: latency('p50', "median of the applications' own inferences"),
  p95: latency('p95', '95th percentile of them'),
  p99: latency('p99', '99th percentile of them'),
  'not-finite': {
    unit: 'share',
    relative: false,
    what: 'share of inferences with NaN or infinite values',
    of: ({ notFinite }) => notFinite,
  },
  temperature: {
    unit: '°C',
    relative: false,
    what: 'hottest sensor of the device',
    of: ({ hottestCelsius }) => hottestCelsius,
  },
  throttled: {
    unit: 'number',
    relative: false,
    what: 'times since boot that the processor was slowed',
    of: ({ throttled }) => throttled,
  },
  restarts: {
    unit: 'number',
    relative: false,
    what: 'starts of the agent within a window',
    of: ({ restarts }) => restarts,
  },
  'check-failed': {
    unit: 'number',
    relative: false,
    what: "1 where the agent's own check in a quiet hour failed",
    of: ({ checkFailed }) => (checkFailed === null ? null : Number(checkFailed)),
  },
} as const satisfies Readonly<Record<string, MetricRow>>

export type HealthMetric = keyof typeof HEALTH_METRICS
const NAMES = Object.keys(HEALTH_METRICS) as [HealthMetric, ...HealthMetric[]]

/** What must hold: a figure below a limit. */
export const conditionSchema = z.object({
  metric: z.enum(NAMES),
  below: z.number().nonnegative(),
  /** The limit is a multiple of what the device's probe measured. */
  relative: z.boolean(),
})
export type Condition = z.infer<typeof conditionSchema>

const TEXT = /^([a-z0-9-]+)\s*<\s*(\d+(?:\.\d+)?)\s*(x|ms|%)?$/

/** `drift<0.2`, `p95<1.3x`, `p99<40ms`, `not-finite<1%`. @throws UsageError */
export function parseCondition(text: string): Condition {
  const [, name = '', number, suffix] = TEXT.exec(text.trim()) ?? []
  const metric = NAMES.find((known) => known === name)
  if (number === undefined || metric === undefined) {
    throw new UsageError(
      `"${text}" is no condition: write FIGURE<LIMIT, e.g. drift<0.2 or p95<1.3x; figures are ${NAMES.join(', ')}`,
    )
  }
  const row: MetricRow = HEALTH_METRICS[metric]
  if (suffix === 'x' && !row.relative)
    throw new UsageError(`"${text}": ${metric} is measured by no probe, so it has no limit in x`)
  if (suffix === '%' && row.unit !== 'share')
    throw new UsageError(`"${text}": ${metric} is no share, so it has no limit in %`)
  if (suffix === 'ms' && row.unit !== 'ms')
    throw new UsageError(`"${text}": ${metric} is no time, so it has no limit in ms`)
  const below = suffix === '%' ? Number(number) / 100 : Number(number)
  return { metric, below, relative: suffix === 'x' }
}

/** @throws UsageError */
export function parseConditions(text: string): readonly Condition[] {
  return text.split(',').map((word) => parseCondition(word))
}

export function printCondition({ metric, below, relative }: Condition): string {
  const { unit }: MetricRow = HEALTH_METRICS[metric]
  const suffix = relative ? 'x' : unit === 'ms' ? 'ms' : ''
  return unit === 'share'
    ? `${metric}<${Number((below * 100).toPrecision(6))}%`
    : `${metric}<${below}${suffix}`
}

/** What came of holding a condition against figures. */
export interface Held {
  readonly condition: Condition
  /** Null: nothing is known, so nothing is said. */
  readonly holds: boolean | null
  readonly value: number | null
}

export function hold(condition: Condition, figures: Figures): Held {
  const row: MetricRow = HEALTH_METRICS[condition.metric]
  const value = row.of(figures, condition.relative)
  return { condition, value, holds: value === null ? null : value < condition.below }
}

/** `p95 1.62x where p95<1.3x was asked: …`, one line for people. */
export function evidenceOf({ condition, value }: Held, figures: Figures): string {
  const shown = value === null ? 'unknown' : Number(value.toPrecision(3))
  const suffix = condition.relative ? 'x' : ''
  const why = condition.metric === 'drift' ? worstOf(figures) : `${figures.inferences} inferences`
  return `${condition.metric} ${shown}${suffix} where ${printCondition(condition)} was asked (${why})`
}

function worstOf({ worst }: Figures): string {
  const [first] = worst
  if (!first) return 'no channel'
  const [m, n] = first.samples
  const ks = first.ks === null ? '' : `, KS ${first.ks.toFixed(2)}`
  return `${first.name}: PSI ${first.psi.toFixed(2)}${ks}, ${n} samples against ${m}`
}
