import { formatBytes } from '../../../../shared/units.ts'
import type { Comparison, ModelFacts } from '../../comparison.ts'
import { baseName, shortName } from '../format.ts'
import { type Markup, markup } from '../markup.ts'
import { colourOf } from '../styles.ts'
import { type Axis, axisOver, byteUnit } from './axis.ts'

const WIDTH = 960
const ROW = 30
const LABELS = 190
const MARGIN = { right: 90, top: 8, bottom: 24 }

/** Bytes of every file, by how its constants are stored. */
export function storagePlot({ float, quantized }: Comparison): Markup {
  const models: readonly ModelFacts[] = [float, ...quantized]
  const types = typesOf(models)
  const height = MARGIN.top + models.length * ROW + MARGIN.bottom
  const largest = Math.max(1, ...models.map(({ bytes }) => bytes))
  const x = axisOver(0, largest, [LABELS, WIDTH - MARGIN.right], 6, byteUnit(largest))
  return markup`<div class="legend">${types.map((type) => markup`<span><i style="background:${fillOf(type, types)}"></i>${type}</span>`)}</div>
<svg viewBox="0 0 ${WIDTH} ${height}" class="wide" role="img" aria-label="size by storage type">
${x.ticks.map(
  (tick) =>
    markup`<line class="grid" x1="${x.at(tick)}" x2="${x.at(tick)}" y1="${MARGIN.top}" y2="${height - MARGIN.bottom}"/><text class="soft" x="${x.at(tick)}" y="${height - 6}" text-anchor="middle">${formatBytes(tick)}</text>`,
)}
${models.map((model, i) => rowOf(model, MARGIN.top + (i + 0.5) * ROW, x, types))}
</svg>`
}

function rowOf({ file, bytes, storage }: ModelFacts, y: number, x: Axis, types: string[]): Markup {
  let start = 0
  const parts = storage.map(({ type, bytes: size }) => {
    const from = x.at(start)
    start += size
    return markup`<rect x="${from}" y="${y - 9}" width="${x.at(start) - from}" height="18" style="fill:${fillOf(type, types)}"><title>${type}: ${formatBytes(size)}</title></rect>`
  })
  return markup`<text x="0" y="${y + 4}">${shortName(baseName(file), 28)}<title>${file}</title></text>${parts}<text x="${x.at(bytes) + 8}" y="${y + 4}">${formatBytes(bytes)}</text>`
}

function typesOf(models: readonly ModelFacts[]): string[] {
  const types = new Set(models.flatMap(({ storage }) => storage.map(({ type }) => type)))
  types.delete('rest')
  return [...types, 'rest']
}

/** What is no number is grey. */
function fillOf(type: string, types: readonly string[]): string {
  return type === 'rest' ? 'var(--line)' : colourOf(types.indexOf(type))
}
