import { UsageError } from '../../../shared/errors.ts'
import { type Cell, NONE } from './figure.ts'
import { mainList, type Page, type Table, withTables } from './page.ts'

const collator = new Intl.Collator('en', { numeric: true })

/**
 * The page and its value in the order of a column: `SIZE`, or `-SIZE` for the largest first. Figures by their value,
 * texts as people sort them; what has none comes last either way.
 * @returns the value as it was where its entries are not the rows of the list
 * @throws UsageError naming the columns there are
 */
export function sorted(page: Page, value: unknown, wish: string): { page: Page; value: unknown } {
  const list = mainList(page)
  if (list === undefined) return { page, value }
  const order = orderOf(list, wish)
  const isEntries = Array.isArray(value) && value.length === order.length
  return {
    page: withTables(page, (table) =>
      table === list ? { ...list, rows: order.map((at) => list.rows[at] ?? []) } : table,
    ),
    value: isEntries ? order.map((at) => value[at]) : value,
  }
}

function orderOf({ head, rows }: Table, wish: string): number[] {
  const isDown = wish.startsWith('-')
  const name = (isDown ? wish.slice(1) : wish).toLowerCase()
  const column = head.findIndex((one) => one.toLowerCase() === name)
  if (column < 0 || name === '') {
    const known = head.filter((one) => one !== '').join(', ')
    throw new UsageError(`--sort: there is no column "${wish.slice(0, 40)}": ${known}`)
  }
  const cells = rows.map((row) => row[column] ?? NONE)
  return cells
    .map((_, at) => at)
    .sort((a, b) => compared(cells[a] ?? NONE, cells[b] ?? NONE, isDown))
}

function compared(a: Cell, b: Cell, isDown: boolean): number {
  if (isNone(a) || isNone(b)) return Number(isNone(a)) - Number(isNone(b))
  const rising =
    typeof a === 'string' || typeof b === 'string'
      ? collator.compare(textOf(a), textOf(b))
      : a.value - b.value
  return isDown ? -rising : rising
}

function isNone(one: Cell): boolean {
  return one === NONE || one === ''
}

function textOf(one: Cell): string {
  return typeof one === 'string' ? one : one.text
}
