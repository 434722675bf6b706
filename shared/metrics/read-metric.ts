import { extname } from 'node:path'
import { MetricError } from './errors.ts'
import type { Metric } from './metric.ts'
import { keysOf, readParameters } from './parameters.ts'
import { scriptMetric } from './script/script-metric.ts'
import { METRICS, type MetricName, type MetricRow } from './table.ts'

const SCRIPTS: ReadonlySet<string> = new Set(['.mjs', '.js', '.cjs'])

/**
 * `NAME[,key=value…]`, or a file of the user's own: `./score.mjs[,seconds=20]`.
 * @throws MetricError `unknown-metric`, `bad-parameter`, `script-failed`, `script-timeout`
 */
export async function readMetric(text: string): Promise<Metric> {
  const [name = ''] = text.split(',')
  if (!SCRIPTS.has(extname(name).toLowerCase())) return builtInMetric(text)
  return await scriptMetric(text)
}

/** One of the table. @throws MetricError `unknown-metric`, `bad-parameter` */
export function builtInMetric(text: string): Metric {
  const [name = '', ...pairs] = text.split(',').map((part) => part.trim())
  const row = rowOf(name)
  if (row === undefined) {
    throw new MetricError(
      'unknown-metric',
      `unknown metric "${name}": use one of ${Object.keys(METRICS).join(', ')}, or a file such as ./score.mjs`,
      { name },
    )
  }
  const given = readParameters(name, row.parameters, keysOf(name, pairs))
  return {
    text: [name, ...pairs].join(','),
    direction: row.direction,
    unit: row.unit,
    labels: row.labels,
    start: (subject) => row.start(given, subject),
  }
}

function rowOf(name: string): MetricRow | undefined {
  return Object.hasOwn(METRICS, name) ? METRICS[name as MetricName] : undefined
}
