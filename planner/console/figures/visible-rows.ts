/** Rows of a windowed list that must exist: those in sight and a few beside them. Lengths px, `last` exclusive. */
export interface VisibleRows {
  readonly first: number
  readonly last: number
}

const BESIDE = 8

/** @param top how far the list is scrolled @param height of what is in sight */
export function visibleRows(
  count: number,
  rowHeight: number,
  { top, height }: { readonly top: number; readonly height: number },
): VisibleRows {
  const first = Math.max(0, Math.floor(top / rowHeight) - BESIDE)
  const last = Math.min(count, Math.ceil((top + height) / rowHeight) + BESIDE)
  return { first: Math.min(first, count), last: Math.max(last, Math.min(first, count)) }
}
