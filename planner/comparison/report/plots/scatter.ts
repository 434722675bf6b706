import type { Scatter } from '../../comparison.ts'
import { figure, shortName } from '../format.ts'
import { type Markup, markup } from '../markup.ts'
import { axisOver } from './axis.ts'

const SIZE = 300
const MARGIN = { left: 56, right: 10, top: 26, bottom: 40 }

/** Quantized numbers over float ones: on the dashed line they are equal. */
export function scatterPlot({ layer, points }: Scatter, colour: string): Markup {
  const { float, quantized } = points
  const all = [...float, ...quantized]
  const low = Math.min(...all, Number.POSITIVE_INFINITY)
  const high = Math.max(...all, Number.NEGATIVE_INFINITY)
  const empty = all.length === 0
  const x = axisOver(empty ? 0 : low, empty ? 1 : high, [MARGIN.left, SIZE - MARGIN.right], 4)
  const y = axisOver(empty ? 0 : low, empty ? 1 : high, [SIZE - MARGIN.bottom, MARGIN.top], 4)
  return markup`<svg viewBox="0 0 ${SIZE} ${SIZE}" width="${SIZE}" role="img" aria-label="float and quantized numbers of ${layer}">
<text x="${MARGIN.left}" y="14" style="font-weight:600">${shortName(layer, 30)}<title>${layer}</title></text>
${x.ticks.map(
  (tick) =>
    markup`<line class="grid" x1="${x.at(tick)}" x2="${x.at(tick)}" y1="${MARGIN.top}" y2="${SIZE - MARGIN.bottom}"/><text class="soft" x="${x.at(tick)}" y="${SIZE - MARGIN.bottom + 16}" text-anchor="middle">${figure(tick)}</text>`,
)}
${y.ticks.map(
  (tick) =>
    markup`<line class="grid" x1="${MARGIN.left}" x2="${SIZE - MARGIN.right}" y1="${y.at(tick)}" y2="${y.at(tick)}"/><text class="soft" x="${MARGIN.left - 6}" y="${y.at(tick) + 4}" text-anchor="end">${figure(tick)}</text>`,
)}
<line class="diagonal" x1="${x.at(x.low)}" y1="${y.at(y.low)}" x2="${x.at(x.high)}" y2="${y.at(y.high)}"/>
<g style="fill:${colour};opacity:.55">${float.map((value, i) => markup`<circle cx="${x.at(value)}" cy="${y.at(quantized[i] ?? value)}" r="2.2"/>`)}</g>
<text class="soft" x="${(MARGIN.left + SIZE) / 2}" y="${SIZE - 6}" text-anchor="middle">float</text>
<text class="soft" transform="translate(12 ${SIZE / 2}) rotate(-90)" text-anchor="middle">quantized</text>
</svg>`
}
