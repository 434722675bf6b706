import type { Comparison, LayerComparison, QuantizedComparison } from '../../comparison.ts'
import { baseName, decibels, shortName } from '../format.ts'
import { type Markup, markup } from '../markup.ts'
import { colourOf } from '../styles.ts'
import { type Axis, axisOver } from './axis.ts'

const WIDTH = 960
const HEIGHT = 320
const MARGIN = { left: 52, right: 16, top: 12, bottom: 40 }

/** Beyond, an error is below what float32 itself makes. */
const TOP_DB = 100
const BOTTOM_DB = -20

/** SQNR of every activation in order of execution, one line per model. */
export function layerErrorsPlot({ quantized }: Comparison): Markup {
  const layers = quantized.flatMap((one) => one.layers)
  // What is exact needs no room: it stands at the top, hollow.
  const shown = layers.flatMap(({ sqnrDb }) =>
    sqnrDb < TOP_DB ? [Math.max(BOTTOM_DB, sqnrDb)] : [],
  )
  const y = axisOver(Math.min(0, ...shown), Math.max(40, ...shown), [
    HEIGHT - MARGIN.bottom,
    MARGIN.top,
  ])
  const last = Math.max(1, ...layers.map(({ order }) => order))
  const x = (order: number) =>
    MARGIN.left + 12 + (order / last) * (WIDTH - MARGIN.left - MARGIN.right - 24)
  return markup`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" class="wide" role="img" aria-label="SQNR of each activation in order of execution">
${gridOf(y)}
<text class="soft" x="${WIDTH / 2}" y="${HEIGHT - 6}" text-anchor="middle">activation, in order of execution</text>
${tickOrders(last).map((order) => markup`<text class="soft" x="${x(order)}" y="${HEIGHT - 22}" text-anchor="middle">${order}</text>`)}
${quantized.map((one, i) => lineOf(one, colourOf(i), x, y))}
</svg>`
}

function gridOf(y: Axis): Markup[] {
  return y.ticks.map(
    (tick) =>
      markup`<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y.at(tick)}" y2="${y.at(tick)}"/><text class="soft" x="${MARGIN.left - 8}" y="${y.at(tick) + 4}" text-anchor="end">${tick} dB</text>`,
  )
}

function lineOf(
  { file, layers }: QuantizedComparison,
  colour: string,
  x: (order: number) => number,
  y: Axis,
): Markup {
  const path = layers.map(({ order, sqnrDb }) => markup`${x(order)},${y.at(sqnrDb)} `)
  return markup`<g style="fill:${colour};stroke:${colour}"><polyline points="${path}" style="fill:none;stroke-width:1.5;opacity:.55"/>${layers.map(
    (layer) => dotOf(layer, file, x(layer.order), y),
  )}</g>`
}

/** Hollow where the plot ends before the number does. */
function dotOf(layer: LayerComparison, file: string, x: number, y: Axis): Markup {
  const beyond = layer.sqnrDb > y.high || layer.sqnrDb < y.low
  const title = `#${layer.order} ${shortName(layer.name, 80)}\n${layer.operator}, ${layer.computes}: ${decibels(layer.sqnrDb)}\n${baseName(file)}`
  return markup`<circle cx="${x}" cy="${y.at(layer.sqnrDb)}" r="3.5"${beyond ? markup` style="fill:var(--page)"` : null}><title>${title}</title></circle>`
}

function tickOrders(last: number): number[] {
  const step = Math.max(1, Math.ceil(last / 16))
  return Array.from({ length: Math.floor(last / step) + 1 }, (_, i) => i * step)
}
