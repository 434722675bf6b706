import { shown } from './figure.ts'
import { type Page, type Table, table } from './page.ts'
import { isPlain, widthOf } from './width.ts'

export interface LaidOut {
  readonly text: string
  /** What a narrow terminal is not told, in a line; empty where it is told all. */
  readonly note: string
}

const GAP = 2
/** Cells up to here are facts, and never cut while longer ones can be. */
const FACT_WIDTH = 16
/** Of the first column, which names the row, and of the last, which mostly says why: sooner a column of least worth goes. */
const EDGE_WIDTH = 28
/** A wrapped value is no ribbon of words. */
const LEAST_WRAP = 20
const CUT = '…'

/**
 * Columns aligned by spaces: the same table pastes into an issue and pipes into awk.
 * @param width columns of the terminal; undefined: as wide as it gets
 */
export function layOut(page: Page, width: number | undefined): LaidOut {
  const leftOut = new Set<string>()
  let isCut = false
  const lines = (part: Page): string[] => {
    if (typeof part === 'string') return [part]
    if (!('kind' in part)) return part.flatMap(lines)
    if (part.kind === 'facts') return wrapped(part, width)
    const fitted = fit(part, width)
    for (const name of fitted.leftOut) leftOut.add(name)
    isCut ||= fitted.isCut
    return fitted.lines
  }
  const text = lines(page).join('\n')
  const said = [
    ...(leftOut.size > 0 ? [`left out: ${[...leftOut].join(', ')}`] : []),
    ...(isCut ? [`cells that end in ${CUT} are cut`] : []),
  ]
  return { text, note: said.length > 0 ? `(${said.join('; ')}: --format wide shows all)` : '' }
}

interface Fitted {
  readonly lines: string[]
  readonly leftOut: readonly string[]
  readonly isCut: boolean
}

interface Column {
  readonly name: string
  readonly cells: readonly string[]
  /** All that it has to say. */
  readonly natural: number
  /** Less would cut what is short, or its name. */
  readonly least: number
}

function columnsOf({ head, rows }: Table): Column[] {
  return head.map((name, at) => {
    const cells = rows.map((row) => shown(row[at] ?? ''))
    const natural = widest([name, ...cells])
    const most = at === 0 || at === head.length - 1 ? EDGE_WIDTH : FACT_WIDTH
    const least = Math.max(widthOf(name), Math.min(natural, most))
    return { name, cells, natural, least }
  })
}

function fit(list: Table, width: number | undefined): Fitted {
  let columns = columnsOf(list)
  const leftOut: string[] = []
  const spare = [...list.spare]
  while (width !== undefined && total(columns.map(({ least }) => least)) > width) {
    const name = spare.shift()
    if (name === undefined) break
    columns = columns.filter((column) => column.name !== name)
    leftOut.push(name)
  }
  const widths = shared(columns, width)
  const isCut = columns.some(({ natural }, at) => natural > (widths[at] ?? natural))
  const lines = [columns.map(({ name }) => name), ...rowsOf(columns, list.rows.length)].map((row) =>
    joined(row, widths),
  )
  return { lines, leftOut, isCut }
}

/** The widest give first; below what they need at least only where nothing else is left. */
function shared(columns: readonly Column[], width: number | undefined): number[] {
  const widths = columns.map(({ natural }) => natural)
  if (width === undefined) return widths
  for (const floors of [columns.map(({ least }) => least), columns.map(() => 3)]) {
    while (total(widths) > width) {
      const at = widestAbove(widths, floors)
      if (at === undefined) break
      widths[at] = (widths[at] ?? 0) - 1
    }
  }
  return widths
}

function widestAbove(widths: readonly number[], floors: readonly number[]): number | undefined {
  let found: number | undefined
  for (const [at, width] of widths.entries()) {
    if (width <= (floors[at] ?? 0)) continue
    if (found === undefined || width > (widths[found] ?? 0)) found = at
  }
  return found
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + GAP * Math.max(0, widths.length - 1)
}

function rowsOf(columns: readonly Column[], count: number): string[][] {
  return Array.from({ length: count }, (_, row) => columns.map(({ cells }) => cells[row] ?? ''))
}

function joined(row: readonly string[], widths: readonly number[]): string {
  const cells = row.map((text, at) => padded(cut(text, widths[at] ?? 0), widths[at] ?? 0))
  return cells.join(' '.repeat(GAP)).trimEnd()
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)))
}

const graphemes = new Intl.Segmenter()

function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  if (isPlain(text)) return `${text.slice(0, width - 1)}${CUT}`
  let kept = ''
  let room = width - widthOf(CUT)
  for (const { segment } of graphemes.segment(text)) {
    room -= widthOf(segment)
    if (room < 0) break
    kept += segment
  }
  return `${kept}${CUT}`
}

/** Nothing of a fact is left out: its value goes on below itself. */
function wrapped({ head, rows }: Table, width: number | undefined): string[] {
  const all = [head, ...rows.map((row) => row.map(shown))]
  const names = widest(all.map(([name = '']) => name))
  const room = width === undefined ? undefined : Math.max(LEAST_WRAP, width - names - GAP)
  return all.flatMap(([name = '', value = '']) =>
    words(value, room).map((line, at) =>
      `${padded(at === 0 ? name : '', names)}${' '.repeat(GAP)}${line}`.trimEnd(),
    ),
  )
}

function words(text: string, room: number | undefined): string[] {
  if (room === undefined || widthOf(text) <= room) return [text]
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && widthOf(longer) > room) {
      lines.push(line)
      line = word
    } else line = longer
  }
  return [...lines, line]
}

function widest(texts: readonly string[]): number {
  return texts.reduce((most, text) => Math.max(most, widthOf(text)), 0)
}

/** A table alone, as wide as it gets: for programs that print nothing else. */
export function tableText(...of: Parameters<typeof table>): string {
  return layOut(table(...of), undefined).text
}
