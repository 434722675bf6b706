import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { type VisibleRows, visibleRows } from '../../figures/visible-rows.ts'

export interface ListColumn<T> {
  readonly head: string
  readonly look: string
  readonly cell: (row: T) => ComponentChildren
}

interface WindowedProps<T> {
  readonly label: string
  readonly columns: readonly ListColumn<T>[]
  readonly count: number
  /** Undefined: it is on its way. */
  readonly rowAt: (row: number) => T | undefined
  /** Rows that are in sight now. */
  readonly onSight: (rows: VisibleRows) => void
  /** Rows that hold pictures. */
  readonly tall?: boolean
}

/** As the style sheet has them: one line, or two where the page is narrow; or as high as a picture. */
const ROW_PX = { wide: 36, narrow: 54, tall: 132 } as const
const NARROW = '(max-width: 760px)'

/** A table of any length of which only the rows in sight exist. */
export function WindowedTable<T>({
  label,
  columns,
  count,
  rowAt,
  onSight,
  tall = false,
}: WindowedProps<T>) {
  const body = useRef<HTMLElement>(null)
  const usual = useRowHeight()
  const rowHeight = tall ? ROW_PX.tall : usual
  const rows = useRowsInSight(body, count, rowHeight)
  const { first, last } = rows
  useEffect(() => onSight(rows), [first, last, onSight])
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled by keyboard too
    <section class="list-body" ref={body} aria-label={label} tabIndex={0}>
      <table class={tall ? 'list tall' : 'list'} aria-rowcount={count + 1}>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map(({ head, look }) => (
              <th key={head} scope="col" class={look}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Gap height={first * rowHeight} />
          {Array.from({ length: last - first }, (_, at) => (
            <Row key={first + at} at={first + at} row={rowAt(first + at)} columns={columns} />
          ))}
          <Gap height={(count - last) * rowHeight} />
        </tbody>
      </table>
    </section>
  )
}

interface RowProps<T> {
  readonly at: number
  readonly row: T | undefined
  readonly columns: readonly ListColumn<T>[]
}

function Row<T>({ at, row, columns }: RowProps<T>) {
  return (
    <tr class="list-row" aria-rowindex={at + 2}>
      {row === undefined ? (
        <td class="faint" colSpan={columns.length}>
          …
        </td>
      ) : (
        columns.map(({ head, look, cell }) => (
          <td key={head} class={look}>
            {cell(row)}
          </td>
        ))
      )}
    </tr>
  )
}

/** In the place of rows that are out of sight. */
function Gap({ height }: { readonly height: number }) {
  if (height <= 0) return null
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: nothing can be focused in it
    <tr class="list-gap" aria-hidden="true">
      <td style={{ height: `${height}px` }} />
    </tr>
  )
}

function useRowHeight(): number {
  const [isNarrow, setNarrow] = useState(() => matchMedia(NARROW).matches)
  useEffect(() => {
    const media = matchMedia(NARROW)
    const look = () => setNarrow(media.matches)
    media.addEventListener('change', look)
    return () => media.removeEventListener('change', look)
  }, [])
  return isNarrow ? ROW_PX.narrow : ROW_PX.wide
}

function useRowsInSight(
  body: { readonly current: HTMLElement | null },
  count: number,
  rowHeight: number,
): VisibleRows {
  const [sight, setSight] = useState({ top: 0, height: 800 })
  useLayoutEffect(() => {
    const element = body.current
    if (!element) return undefined
    let frame = 0
    const look = () => {
      cancelAnimationFrame(frame)
      frame = requestAnimationFrame(() =>
        setSight({ top: element.scrollTop, height: element.clientHeight }),
      )
    }
    const resized = new ResizeObserver(look)
    resized.observe(element)
    element.addEventListener('scroll', look, { passive: true })
    return () => {
      cancelAnimationFrame(frame)
      resized.disconnect()
      element.removeEventListener('scroll', look)
    }
  }, [body])
  return visibleRows(count, rowHeight, sight)
}
