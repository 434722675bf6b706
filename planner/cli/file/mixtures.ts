import { UsageError } from '../../../shared/errors.ts'
import { formatMetric, metricName } from '../../../shared/metrics/index.ts'
import type { ModelFormat } from '../../../shared/runtime/index.ts'
import { formatBytes, formatPercent } from '../../../shared/units.ts'
import { type BudgetReport, paretoFront } from '../../quantizer/index.ts'
import { cell } from '../print/figure.ts'
import { type Page, table } from '../print/page.ts'

interface Asked {
  readonly scheme: string
  readonly maxDrop?: number | undefined
  readonly maxAccuracyDrop?: number | undefined
}

/** Eight bits in the form that the format's runtime is fastest in on most machines. */
const AUTO: Readonly<Record<ModelFormat, string>> = {
  tflite: 'static-w8a8',
  onnx: 'static-w8a8-u8s8',
}

/** The scheme by name, `auto` being the one that mixtures are made of. @throws UsageError */
export function schemeName(asked: Asked, format: ModelFormat): string {
  if (asked.scheme !== 'auto') return asked.scheme
  if (searches(asked)) return AUTO[format]
  throw new UsageError(
    '--scheme auto looks for the most integer mixture within a budget: add --max-drop POINTS',
  )
}

export function searches({ maxDrop, maxAccuracyDrop }: Asked): boolean {
  return (maxDrop ?? maxAccuracyDrop) !== undefined
}

/** The first interruption ends a search, the next one the program. */
export async function interruptible<T>(
  isSearch: boolean,
  note: (text: string) => void,
  work: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  if (!isSearch) return await work(undefined)
  const controller = new AbortController()
  const stop = () => {
    note('stopping: the best mixture so far is written (again: leave at once)')
    controller.abort()
  }
  process.once('SIGINT', stop)
  try {
    return await work(controller.signal)
  } finally {
    process.off('SIGINT', stop)
  }
}

/** What was measured and is beaten by nothing else. */
export function printFront(budget: BudgetReport): Page {
  const front = paretoFront(budget)
  if (budget.steps.length < 2) return []
  const { metric } = budget
  const rows = front.map((step) => [
    formatMetric(metric, step.value),
    cell(step.bytes, formatBytes),
    cell(step.integerShare, formatPercent),
    String(step.inFloat.length),
    step.value === budget.value && step.drop === budget.drop ? 'written' : '',
  ])
  const head = [
    metricName(metric).toUpperCase(),
    'SIZE',
    'MACS ON INTEGERS',
    'KEPT IN FLOAT',
    'FILE',
  ]
  return ['', `mixtures, float32 ${formatMetric(metric, budget.float)}:`, table(head, rows)]
}
