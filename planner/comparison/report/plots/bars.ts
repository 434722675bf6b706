import { baseName, shortName } from '../format.ts'
import { type Markup, markup } from '../markup.ts'
import { type Axis, axisOver } from './axis.ts'

const WIDTH = 460
const ROW = 26
const LABELS = 150
const MARGIN = { right: 78, top: 26, bottom: 24 }

export interface BarRow {
  readonly file: string
  readonly value: number
  /** 95 % of what the value may truly be. */
  readonly interval?: readonly [number, number]
  readonly colour: string
}

export interface BarPlot {
  readonly title: string
  readonly rows: readonly BarRow[]
  readonly print: (value: number) => string
  /** Of lengths: bars from zero. Of shares near 1: dots on an axis of their own. */
  readonly from: 'zero' | 'lowest'
  /** In which ticks are round; 1 where absent. */
  readonly unit?: number
}

/** One figure of several models, a row each. */
export function barPlot({ title, rows, print, from, unit }: BarPlot): Markup {
  const height = MARGIN.top + rows.length * ROW + MARGIN.bottom
  const ends = rows.flatMap(({ value, interval }) => [value, ...(interval ?? [])])
  const low = from === 'zero' ? 0 : Math.min(...ends)
  const x = axisOver(low, Math.max(...ends), [LABELS, WIDTH - MARGIN.right], 3, unit)
  return markup`<svg viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" role="img" aria-label="${title}">
<text x="0" y="14" style="font-weight:600">${title}</text>
${x.ticks.map(
  (tick) =>
    markup`<line class="grid" x1="${x.at(tick)}" x2="${x.at(tick)}" y1="${MARGIN.top}" y2="${height - MARGIN.bottom}"/><text class="soft" x="${x.at(tick)}" y="${height - 6}" text-anchor="middle">${print(tick)}</text>`,
)}
${rows.map((row, i) => rowOf(row, MARGIN.top + (i + 0.5) * ROW, x, print, from))}
</svg>`
}

function rowOf(
  { file, value, interval, colour }: BarRow,
  y: number,
  x: Axis,
  print: BarPlot['print'],
  from: BarPlot['from'],
): Markup {
  const name = baseName(file)
  const mark =
    from === 'zero'
      ? markup`<rect x="${x.at(0)}" y="${y - 7}" width="${Math.max(1, x.at(value) - x.at(0))}" height="14" rx="2" style="fill:${colour}"/>`
      : markup`<circle cx="${x.at(value)}" cy="${y}" r="5" style="fill:${colour}"/>`
  const whisker =
    interval &&
    markup`<line x1="${x.at(interval[0])}" x2="${x.at(interval[1])}" y1="${y}" y2="${y}" style="stroke:var(--text);stroke-width:1.5"/>`
  const end = x.at(Math.max(value, interval?.[1] ?? value))
  return markup`<text x="0" y="${y + 4}">${shortName(name, 22)}<title>${file}</title></text>${mark}${whisker ?? null}<text x="${end + 8}" y="${y + 4}">${print(value)}</text>`
}
