import { formatBytes, formatMs, formatPercent } from '../../../../shared/units.ts'
import { paretoFront, type Tradeoff } from '../../figures/pareto-front.ts'
import { spread } from '../../figures/spread.ts'
import { scale, ticks } from '../../figures/ticks.ts'
import { useChartWidth } from './chart-width.ts'

export interface Point extends Tradeoff {
  readonly name: string
  readonly chosen: boolean
  /** Within which the latency lies, with 95 % confidence; null: not known. */
  readonly interval: readonly [number, number] | null
}

type Placed = Point & { readonly latencyMs: number; readonly quality: number }

const HEIGHT = 320
const INSIDE = { left: 62, right: 16, top: 20, bottom: 268 } as const
/** Radius of the largest file, px: areas compare as bytes do. */
const LARGEST_PX = 12
const LEAST_PX = 3
/** Between the lines of two names. */
const LINE_PX = 15
/** Above and below: variants that answer alike shall look alike. A share of one. */
const MARGIN = 0.002
/** To the right of the slowest: its dot has a radius. */
const HEADROOM = 1.03
/** About as wide as a letter is, px. */
const LETTER_PX = 6.6
/** Up to so many names can all be read. */
const FEW = 8

interface TradeoffChartProps {
  readonly points: readonly Point[]
  /** What stands upwards. */
  readonly quality: string
}

/** Latency to the right, quality upwards, size as area; the front of what nothing beats as a line. */
export function TradeoffChart({ points, quality }: TradeoffChartProps) {
  const [holder, width] = useChartWidth()
  const placed = points.filter(
    (point): point is Placed => point.latencyMs !== null && point.quality !== null,
  )
  if (placed.length === 0) return null
  const front = paretoFront(placed)
  const space = spaceOf(placed, width)
  return (
    <div ref={holder}>
      <svg
        class="chart"
        viewBox={`0 0 ${width} ${HEIGHT}`}
        role="img"
        aria-label={`${placed.length} variants by latency and ${quality}; ${front.map(({ name }) => name).join(', ')} on the Pareto front. The table has the numbers.`}
      >
        <Axes space={space} quality={quality} />
        <path class="front" d={steps(front, space.x, space.y)} />
        {[...placed]
          .sort((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0))
          .map((point) => (
            <Dot key={point.name} point={point} isOnFront={front.includes(point)} space={space} />
          ))}
        <Names
          points={placed.filter((p) => placed.length <= FEW || p.chosen || front.includes(p))}
          space={space}
        />
      </svg>
    </div>
  )
}

type Place = (value: number) => number

interface Space {
  readonly right: number
  readonly x: Place
  readonly y: Place
  readonly xMarks: readonly number[]
  readonly yMarks: readonly number[]
  readonly radius: (bytes: number | null) => number
}

function spaceOf(placed: readonly Placed[], width: number): Space {
  const right = width - INSIDE.right
  const slowest = Math.max(...placed.map((p) => Math.max(p.latencyMs, p.interval?.[1] ?? 0)))
  const xMarks = ticks(0, slowest * HEADROOM, Math.max(3, Math.round(width / 130)))
  const qualities = placed.map((point) => point.quality)
  const yMarks = ticks(Math.min(...qualities) - MARGIN, Math.max(...qualities) + MARGIN, 5)
  const most = Math.max(...placed.map(({ bytes }) => bytes ?? 0), 1)
  return {
    ...{ right, xMarks, yMarks },
    x: scale([0, xMarks.at(-1) ?? 1], [INSIDE.left, right]),
    y: scale([yMarks[0] ?? 0, yMarks.at(-1) ?? 1], [INSIDE.bottom, INSIDE.top]),
    radius: (bytes) => LEAST_PX + Math.sqrt((bytes ?? 0) / most) * LARGEST_PX,
  }
}

interface AxesProps {
  readonly space: Space
  readonly quality: string
}

function Axes({ space: { x, y, xMarks, yMarks, right }, quality }: AxesProps) {
  const digits = digitsOf(yMarks)
  return (
    <g>
      {yMarks.map((mark) => (
        <g key={mark}>
          <line class="grid" x1={INSIDE.left} x2={right} y1={y(mark)} y2={y(mark)} />
          <text x={INSIDE.left - 8} y={y(mark) + 4} text-anchor="end">
            {formatPercent(mark, digits)}
          </text>
        </g>
      ))}
      {xMarks.map((mark) => (
        <text key={mark} x={x(mark)} y={INSIDE.bottom + 20} text-anchor="middle">
          {mark}
        </text>
      ))}
      <text x={right} y={INSIDE.bottom + 40} text-anchor="end">
        latency P50, ms →
      </text>
      <text x={4} y={INSIDE.bottom + 40}>
        ↑ {quality}
      </text>
    </g>
  )
}

interface DotProps {
  readonly point: Placed
  readonly isOnFront: boolean
  readonly space: Space
}

function Dot({ point, isOnFront, space: { x, y, radius } }: DotProps) {
  const { name, chosen, latencyMs, quality, interval, bytes } = point
  const look = chosen ? 'dot chosen' : isOnFront ? 'dot on-front' : 'dot'
  const size = bytes === null ? '' : `, ${formatBytes(bytes)}`
  return (
    <g>
      {interval && (
        <line
          class="interval"
          x1={x(interval[0])}
          x2={x(interval[1])}
          y1={y(quality)}
          y2={y(quality)}
        />
      )}
      <circle class={look} cx={x(latencyMs)} cy={y(quality)} r={radius(bytes)}>
        <title>{`${name}: ${formatMs(latencyMs)}, ${formatPercent(quality)}${size}`}</title>
      </circle>
    </g>
  )
}

interface NamesProps {
  readonly points: readonly Placed[]
  readonly space: Space
}

/** Beside their dots, on the side where there is room, and never one upon the other. */
function Names({ points, space: { x, y, radius, right } }: NamesProps) {
  const lines = spread(
    points.map(({ quality }) => y(quality) - LINE_PX / 2),
    LINE_PX,
  )
  return (
    <g>
      {points.map(({ name, chosen, latencyMs, bytes }, at) => {
        const off = radius(bytes) + 6
        const room = off + name.length * LETTER_PX
        const isLeft = x(latencyMs) + room > right && x(latencyMs) - room > 0
        return (
          <text
            key={name}
            class={chosen ? 'name chosen' : 'name'}
            x={x(latencyMs) + (isLeft ? -off : off)}
            y={lines[at]}
            text-anchor={isLeft ? 'end' : 'start'}
          >
            {name}
          </text>
        )
      })}
    </g>
  )
}

/** From left to right; the front is of three measures, and is drawn in two of them. */
function steps(front: readonly Placed[], x: Place, y: Place): string {
  return [...front]
    .sort((a, b) => a.latencyMs - b.latencyMs)
    .map(({ latencyMs, quality }, at) => `${at === 0 ? 'M' : 'L'}${x(latencyMs)} ${y(quality)}`)
    .join('')
}

/** As many as tell the marks apart. */
function digitsOf(marks: readonly number[]): number {
  const step = (marks[1] ?? 1) - (marks[0] ?? 0)
  return Math.min(3, Math.max(0, Math.ceil(-Math.log10(Math.abs(step * 100) || 1))))
}
