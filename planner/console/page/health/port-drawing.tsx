import { useLayoutEffect, useRef } from 'preact/hooks'
import {
  curveOf,
  curvePath,
  type Drawing,
  drawingOf,
  extentOf,
  type HeatMap,
  type Picture,
  pixelsOf,
  SHADES,
  shadedMap,
} from '../../figures/sample-drawing.ts'

interface PortProps {
  readonly name: string
  readonly values: readonly number[]
  /** As the model states it; undefined: the values are all that is known. */
  readonly shape: readonly number[] | undefined
}

/** What one input or output held: a picture, curves, a map, or its first values. */
export function PortDrawing({ name, values, shape }: PortProps) {
  const drawing = drawingOf(values.length, shape)
  const size = (shape?.length === undefined ? [values.length] : shape).join('×')
  const [low, high] = extentOf(values)
  const from = `${brief(low)} … ${brief(high)}`
  if (drawing.kind === 'numbers') return <Numbers name={name} values={values} />
  return (
    <figure class="port">
      <Drawn drawing={drawing} values={values} label={`${name}, ${size}, values ${from}`} />
      <figcaption title={`${name} ${size}`}>
        {name} {size}, {from}
      </figcaption>
    </figure>
  )
}

interface DrawnProps<D> {
  readonly drawing: D
  readonly values: readonly number[]
  readonly label: string
}

function Drawn({ drawing, ...shown }: DrawnProps<Exclude<Drawing, { kind: 'numbers' }>>) {
  if (drawing.kind === 'picture') return <PictureCanvas drawing={drawing} {...shown} />
  if (drawing.kind === 'map') return <MapPlot drawing={drawing} {...shown} />
  return <Curves drawing={drawing} {...shown} />
}

/** Drawn by the page itself: nothing is loaded, and nothing is parsed. */
function PictureCanvas({ drawing, values, label }: DrawnProps<Picture>) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const { width, height } = drawing
  useLayoutEffect(() => {
    const pixels = new ImageData(pixelsOf(values, drawing), width, height)
    canvas.current?.getContext('2d')?.putImageData(pixels, 0, 0)
  }, [values])
  return <canvas ref={canvas} width={width} height={height} role="img" aria-label={label} />
}

const PLOT = [168, 84] as const

function Curves({ drawing, values, label }: DrawnProps<Extract<Drawing, { kind: 'curves' }>>) {
  const extent = extentOf(values)
  const [width, height] = PLOT
  return (
    <svg class="plot" viewBox={`-1 -1 ${width + 2} ${height + 2}`} role="img" aria-label={label}>
      {Array.from({ length: drawing.lines }, (_, line) => (
        <path
          key={line}
          class={line === 0 ? 'curve' : 'curve other'}
          d={curvePath(curveOf(values, drawing, line), extent, PLOT)}
        />
      ))}
    </svg>
  )
}

function MapPlot({ drawing, values, label }: DrawnProps<HeatMap>) {
  const { columns, rows, shades } = shadedMap(values, drawing)
  return (
    <svg
      class="plot map"
      viewBox={`0 0 ${columns} ${rows}`}
      preserveAspectRatio="none"
      shape-rendering="crispEdges"
      role="img"
      aria-label={label}
    >
      {shades.map((path, shade) =>
        path === '' ? null : <path key={shade} d={path} fill-opacity={(shade + 1) / SHADES} />,
      )}
    </svg>
  )
}

const FIRST = 6

function Numbers({ name, values }: Pick<PortProps, 'name' | 'values'>) {
  const largest = values.indexOf(extentOf(values)[1])
  return (
    <p class="numbers">
      <span class="faint">{name}</span> {values.slice(0, FIRST).map(brief).join('  ')}
      {values.length > FIRST && <span class="faint"> … of {values.length}</span>}
      {values.length > 2 && <span class="faint"> · largest at {largest}</span>}
    </p>
  )
}

function brief(value: number): string {
  return String(Number(value.toPrecision(3)))
}
