import type { Cell } from './figure.ts'

/** What a command says to people: paragraphs and tables, laid out when it is known where they are read. */
export type Page = string | Table | readonly Page[]

export interface Table {
  readonly kind: 'list' | 'facts'
  readonly head: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
  /** Columns that a narrow terminal can do without, those of least worth first. */
  readonly spare: readonly string[]
  /** Of several lists on a page the one that sorting and CSV are about; the first where none says so. */
  readonly main: boolean
}

type Wishes = Partial<Pick<Table, 'spare' | 'main'>>

/** One row an entry. */
export function table(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  { spare = [], main = false }: Wishes = {},
): Table {
  return { kind: 'list', head, rows, spare, main }
}

/** What is known of one thing, a line each; what is too long for a line goes on below. */
export function facts(
  rows: readonly (readonly Cell[])[],
  head: readonly string[] = ['FACT', 'VALUE'],
): Table {
  return { kind: 'facts', head, rows, spare: [], main: false }
}

/** With an empty line between one another; without those that say nothing. */
export function apart(...parts: readonly Page[]): Page {
  return parts.filter((part) => part !== '').flatMap((part, at) => (at === 0 ? [part] : ['', part]))
}

/** The one list that sorting and CSV are about. */
export function mainList(page: Page): Table | undefined {
  const lists = tablesOf(page).filter(({ kind }) => kind === 'list')
  return lists.find(({ main }) => main) ?? lists[0]
}

export function tablesOf(page: Page): readonly Table[] {
  if (typeof page === 'string') return []
  return 'kind' in page ? [page] : page.flatMap(tablesOf)
}

/** The same page with other tables. */
export function withTables(page: Page, change: (table: Table) => Table): Page {
  if (typeof page === 'string') return page
  return 'kind' in page ? change(page) : page.map((part) => withTables(part, change))
}
