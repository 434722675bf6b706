import { scale, ticks } from '../../figures/ticks.ts'
import { useChartWidth } from './chart-width.ts'

export interface Series {
  readonly name: string
  /** Drawn as the one that matters; the others are dashed. */
  readonly main: boolean
  /** Null where nothing is known: the line is broken there. */
  readonly values: readonly (number | null)[]
}

interface LineChartProps {
  /** What it shows, for who cannot see it; the numbers are in a table beside it. */
  readonly label: string
  /** Along the bottom, one for each value. */
  readonly moments: readonly string[]
  readonly series: readonly Series[]
  /** A line that must not be crossed. */
  readonly limit?: number | undefined
  readonly format: (value: number) => string
}

const HEIGHT = 190
const INSIDE = { left: 56, right: 12, top: 12, bottom: 160 } as const
/** Room that one label of a moment takes, px. */
const LABEL_PX = 56

/** Values over days. Two series at most are read at one glance. */
export function LineChart({ label, moments, series, limit, format }: LineChartProps) {
  const [holder, width] = useChartWidth()
  const known = series.flatMap(({ values }) => values.filter((value) => value !== null))
  const marks = ticks(0, Math.max(...known, limit ?? 0, 1e-6), 4)
  const right = width - INSIDE.right
  const y = scale([0, marks.at(-1) ?? 1], [INSIDE.bottom, INSIDE.top])
  const x = scale([0, Math.max(1, moments.length - 1)], [INSIDE.left + 16, right - 16])
  const fit = Math.max(1, Math.floor((right - INSIDE.left) / LABEL_PX))
  const every = Math.max(1, Math.ceil(moments.length / fit))
  return (
    <div ref={holder}>
      <svg class="chart" viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-label={label}>
        {marks.map((mark) => (
          <g key={mark}>
            <line class="grid" x1={INSIDE.left} x2={right} y1={y(mark)} y2={y(mark)} />
            <text x={INSIDE.left - 8} y={y(mark) + 4} text-anchor="end">
              {format(mark)}
            </text>
          </g>
        ))}
        {limit !== undefined && (
          <line class="limit" x1={INSIDE.left} x2={right} y1={y(limit)} y2={y(limit)} />
        )}
        {moments.map((moment, at) =>
          at % every === 0 ? (
            <text key={moment} x={x(at)} y={INSIDE.bottom + 18} text-anchor="middle">
              {moment}
            </text>
          ) : null,
        )}
        {series.map((one) => (
          <Line key={one.name} series={one} x={x} y={y} />
        ))}
      </svg>
    </div>
  )
}

interface LineProps {
  readonly series: Series
  readonly x: (at: number) => number
  readonly y: (value: number) => number
}

function Line({ series: { name, main, values }, x, y }: LineProps) {
  let pen = 'M'
  const path = values.map((value, at) => {
    if (value === null) {
      pen = 'M'
      return ''
    }
    const step = `${pen}${x(at).toFixed(1)} ${y(value).toFixed(1)}`
    pen = 'L'
    return step
  })
  return (
    <g>
      <path class={main ? 'line' : 'line other'} d={path.join('')} />
      {values.map((value, at) =>
        value === null ? null : (
          <circle
            key={x(at)}
            class={main ? 'dot chosen' : 'dot'}
            cx={x(at)}
            cy={y(value)}
            r={main ? 2.5 : 2}
          >
            <title>{`${name}: ${value}`}</title>
          </circle>
        ),
      )}
    </g>
  )
}
