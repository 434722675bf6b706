import { formatMetric, metricName } from '../../../shared/metrics/index.ts'
import { formatPercent } from '../../../shared/units.ts'

interface Reached {
  readonly accuracy: number | null
  readonly metric?:
    | { readonly text: string; readonly unit: string; readonly value: number | null }
    | undefined
}

/** The metric that was chosen, by its name, else accuracy; undefined where neither was measured. */
export function printQuality(reached: Reached | null | undefined): string | undefined {
  const metric = reached?.metric
  if (metric !== undefined && metric.value !== null) {
    const unit = metric.unit === 'share' || metric.unit === 'rate' ? metric.unit : 'number'
    return `${metricName(metric)} ${formatMetric({ unit }, metric.value)}`
  }
  const accuracy = reached?.accuracy ?? null
  return accuracy === null ? undefined : formatPercent(accuracy)
}
