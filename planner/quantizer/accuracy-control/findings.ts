import type { Finding } from '../../../shared/findings.ts'
import { formatMetric, metricName } from '../../../shared/metrics/index.ts'
import { formatPercent } from '../../../shared/units.ts'
import type { BudgetReport, BudgetStep } from './hold.ts'

export function budgetFinding(report: BudgetReport): Finding {
  const { metric, samples, maxDrop, held, interrupted, steps } = report
  const name = metricName(metric)
  const reached = `${formatMetric(metric, report.value)}, float32 ${formatMetric(metric, report.float)}`
  const lost = `${points(report.drop)} of ${name} is lost on ${samples} samples (${reached}), ${points(maxDrop)} may be`
  if (maxDrop === Number.POSITIVE_INFINITY) {
    const message = `${name} reaches ${reached} on ${samples} samples: ${points(report.drop)} is lost`
    return { code: 'metric-reached', severity: 'info', message }
  }
  const everything = points(steps[0]?.drop ?? 0)
  if (held && steps.length === 1) {
    return { code: 'budget-held', severity: 'info', message: `${lost}: all stays quantized` }
  }
  const stopped = interrupted ? '; stopped before all was tried' : ''
  return held
    ? {
        code: 'budget-held',
        severity: 'info',
        message: `${lost}: with everything quantized it was ${everything}${stopped}`,
      }
    : {
        code: 'budget-missed',
        severity: 'warning',
        message: `${lost}: this is the best of ${steps.length} mixtures (everything quantized loses ${everything})${stopped}; allow more, use static-w8a16 or float16, or give better calibration samples`,
      }
}

/** Shares and rates in points; of other numbers the part that is lost. */
function points(drop: number): string {
  return formatPercent(Math.max(0, drop))
}

/** Mixtures that no other beats in the metric and in what is done on integers; the most integer one first. */
export function paretoFront({ steps }: BudgetReport): BudgetStep[] {
  const beats = (a: BudgetStep, b: BudgetStep) =>
    a.drop <= b.drop &&
    a.bytes <= b.bytes &&
    a.integerShare >= b.integerShare &&
    (a.drop < b.drop || a.bytes < b.bytes || a.integerShare > b.integerShare)
  const alike = (a: BudgetStep, b: BudgetStep) =>
    a.drop === b.drop && a.bytes === b.bytes && a.integerShare === b.integerShare
  return steps
    .filter((step, i) => steps.findIndex((other) => alike(other, step)) === i)
    .filter((step) => !steps.some((other) => beats(other, step)))
    .sort((a, b) => b.integerShare - a.integerShare)
}

/** What a file reaches, where it is to reach something. */
export function minimumFinding(
  { metric, value }: Pick<BudgetReport, 'metric' | 'value'>,
  least: number | undefined,
): Finding[] {
  if (least === undefined) return []
  const missed = metric.direction === 'higher' ? value < least : value > least
  if (!missed) return []
  const wanted = `${formatMetric(metric, least)} or ${metric.direction === 'higher' ? 'more' : 'less'}`
  return [
    {
      code: 'metric-missed',
      severity: 'error',
      message: `no file was written: ${metricName(metric)} reaches ${formatMetric(metric, value)}, and ${wanted} was asked for; try --scheme auto with --max-drop, which leaves in float what costs most`,
    },
  ]
}
