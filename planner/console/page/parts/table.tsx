import type { ComponentChildren } from 'preact'

export interface Column<T> {
  readonly head: string
  /** Aligned by its digits. */
  readonly number?: boolean
  /** Left out where the page is narrow. */
  readonly wide?: boolean
  readonly cell: (row: T) => ComponentChildren
}

interface TableProps<T> {
  /** What the table is of, for who cannot see what is around it. */
  readonly label: string
  readonly columns: readonly Column<T>[]
  readonly rows: readonly T[]
  readonly keyOf: (row: T) => string
  readonly look?: (row: T) => string | undefined
}

export function Table<T>({ label, columns, rows, keyOf, look }: TableProps<T>) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must do so by keyboard too
    <section class="scroll" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.head} scope="col" class={lookOf(column)}>
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)} class={look?.(row)}>
              {columns.map((column, at) =>
                at === 0 ? (
                  <th key={column.head} scope="row" class={lookOf(column)}>
                    {column.cell(row)}
                  </th>
                ) : (
                  <td key={column.head} class={lookOf(column)}>
                    {column.cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function lookOf({ number, wide }: Column<never>): string | undefined {
  const words = [...(number ? ['number'] : []), ...(wide ? ['wide'] : [])]
  return words.length === 0 ? undefined : words.join(' ')
}
