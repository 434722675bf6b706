/** One page of a list behind cursors, as far as it is here. */
export interface LoadedPage<T> {
  readonly items: readonly T[]
  /** Something in it has moved since. */
  readonly stale: boolean
}

/** A long list of which pages come one by one: each begins where the one before ended. */
export interface Pages<T> {
  readonly size: number
  readonly total: number
  /** Where each page begins; the first begins at the beginning. */
  readonly cursors: readonly (string | null)[]
  readonly loaded: readonly LoadedPage<T>[]
}

export interface Answer<T> {
  readonly items: readonly T[]
  readonly next: string | null
  readonly total: number | null
}

export function emptyPages<T>(size: number): Pages<T> {
  return { size, total: 0, cursors: [null], loaded: [] }
}

/** The page that must be fetched next so that these rows can be shown as they are; undefined: none. */
export function pageDue<T>(
  { size, loaded, cursors }: Pages<T>,
  { first, last }: { readonly first: number; readonly last: number },
): number | undefined {
  const from = Math.floor(first / size)
  const to = Math.floor(Math.max(first, last - 1) / size)
  for (let at = from; at <= Math.min(to, loaded.length - 1); at += 1) {
    if (loaded[at]?.stale) return at
  }
  // Pages lead from one to the next: a row far below comes after all before it.
  return to >= loaded.length && loaded.length < cursors.length ? loaded.length : undefined
}

/** With a page as it was answered. Where it ends elsewhere than before, those behind it are stale. */
export function withPage<T>(pages: Pages<T>, at: number, answer: Answer<T>): Pages<T> {
  const { items, next, total } = answer
  const moved = at + 1 < pages.cursors.length && pages.cursors[at + 1] !== next
  const loaded = [
    ...pages.loaded.slice(0, at),
    { items, stale: false },
    ...(next === null ? [] : pages.loaded.slice(at + 1)).map((page) =>
      moved ? { ...page, stale: true } : page,
    ),
  ]
  const cursors = [
    ...pages.cursors.slice(0, at + 1),
    ...(next === null ? [] : [next, ...pages.cursors.slice(at + 2)]),
  ]
  return { ...pages, loaded, cursors, total: total ?? totalOf(loaded, cursors, pages.size) }
}

/** Where nobody counted: what is here, and one page more where there is one. */
function totalOf<T>(
  loaded: readonly LoadedPage<T>[],
  cursors: readonly (string | null)[],
  size: number,
): number {
  const here = loaded.reduce((sum, { items }) => sum + items.length, 0)
  return cursors.length > loaded.length ? here + size : here
}

/**
 * Marks pages in which something moved; all of them where nobody says what. What moved and is on no page may have joined
 * the list: where nothing was, or at its end.
 */
export function staleWhere<T>(pages: Pages<T>, moved: (item: T) => boolean): Pages<T> {
  const { loaded, cursors } = pages
  const end = cursors.length === loaded.length ? loaded.length - 1 : undefined
  const isMoved = ({ items }: LoadedPage<T>, at: number) =>
    items.length === 0 || at === end || items.some(moved)
  return {
    ...pages,
    loaded: loaded.map((page, at) =>
      page.stale || !isMoved(page, at) ? page : { ...page, stale: true },
    ),
  }
}

export function rowAt<T>({ loaded, size }: Pages<T>, row: number): T | undefined {
  return loaded[Math.floor(row / size)]?.items[row % size]
}
