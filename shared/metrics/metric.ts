import { basename } from 'node:path'
import type { Meter, Subject } from './meter.ts'
import type { MetricRow, MetricUnit } from './table.ts'

/** What a metric is to those who only read its figures. */
export interface MetricFacts {
  /** As it was asked for: name and parameters. */
  readonly text: string
  readonly direction: 'higher' | 'lower'
  readonly unit: MetricUnit
}

/** A metric with its parameters, to be started once for each model that is judged. */
export interface Metric extends MetricFacts {
  /** Array of the data that it needs; null where the float model's answers serve as well. */
  readonly labels: MetricRow['labels']
  start(subject: Subject): Meter
}

/** Short, for tables: the name, or a script's file. */
export function metricName({ text }: Pick<MetricFacts, 'text'>): string {
  return basename(text.split(',')[0] ?? text)
}

/**
 * What is lost from one value to another, in hundredths of points: shares and rates by their difference, other numbers
 * by their ratio. Below 0 where it became better; NaN where either is no number.
 */
export function lossOf({ direction, unit }: MetricFacts, from: number, to: number): number {
  const worse = direction === 'higher' ? from - to : to - from
  if (unit !== 'number' || worse === 0) return worse
  return from === 0 ? Math.sign(worse) * Number.POSITIVE_INFINITY : worse / Math.abs(from)
}

/** Shares and rates as percentages, numbers as they are. */
export function formatMetric({ unit }: Pick<MetricFacts, 'unit'>, value: number): string {
  return unit === 'number' ? String(Number(value.toPrecision(4))) : `${(100 * value).toFixed(2)} %`
}
