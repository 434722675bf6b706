import { formatMs } from '../../../../shared/units.ts'
import { short } from '../../figures/wording.ts'
import { LineChart, type Series } from '../parts/line-chart.tsx'
import type { HealthView } from '../types.ts'

type Day = HealthView['days'][number]

/** Above it a distribution has moved: the usual reading of a population stability index. */
const DRIFT_LIMIT = 0.2

/** Drift and latency day by day; of several variants the one that most of the newest days are of stands out. */
export function HealthCharts({ health: { days, model } }: { readonly health: HealthView }) {
  const moments = [...new Set(days.map(({ day }) => day))].sort()
  if (moments.length === 0) return null
  const labels = moments.map((day) => day.slice(5))
  const last = days.filter(({ day }) => day === moments.at(-1))
  const main = [...last].sort((a, b) => b.inferences - a.inferences)[0]?.variant
  return (
    <div class="two">
      <figure class="plate">
        <figcaption>Drift from the reference, by day (0.2: it has moved)</figcaption>
        <LineChart
          label={`Drift of ${model} over ${moments.length} days`}
          moments={labels}
          limit={DRIFT_LIMIT}
          series={seriesOf(days, moments, main, ({ drift }) => drift)}
          format={(value) => value.toFixed(2)}
        />
        <Legend days={days} main={main} />
      </figure>
      <figure class="plate">
        <figcaption>Latency P95, by day</figcaption>
        <LineChart
          label={`Latency P95 of ${model} over ${moments.length} days`}
          moments={labels}
          series={seriesOf(days, moments, main, ({ p95Ms }) => p95Ms)}
          format={formatMs}
        />
        <Legend days={days} main={main} />
      </figure>
    </div>
  )
}

function seriesOf(
  days: readonly Day[],
  moments: readonly string[],
  main: string | undefined,
  figure: (day: Day) => number | null,
): readonly Series[] {
  return [...new Set(days.map(({ variant }) => variant))].map((variant) => ({
    name: days.find((day) => day.variant === variant)?.scheme ?? short(variant),
    main: variant === main,
    values: moments.map((moment) => {
      const day = days.find((one) => one.variant === variant && one.day === moment)
      return day ? figure(day) : null
    }),
  }))
}

interface LegendProps {
  readonly days: readonly Day[]
  readonly main: string | undefined
}

function Legend({ days, main }: LegendProps) {
  const variants = [...new Map(days.map((day) => [day.variant, day.scheme])).entries()]
  return (
    <div class="legend">
      {variants.map(([variant, scheme]) => (
        <span key={variant}>
          {variant === main ? '— ' : '- - '}
          {scheme ?? short(variant)}
        </span>
      ))}
    </div>
  )
}
