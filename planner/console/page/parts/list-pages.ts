import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import {
  emptyPages,
  type Pages,
  pageDue,
  rowAt,
  staleWhere,
  withPage,
} from '../../figures/pages.ts'
import type { VisibleRows } from '../../figures/visible-rows.ts'
import { ask, type ListOf, type Problem, problemFrom, type Query } from '../api.ts'
import { type EventKind, live } from '../live.ts'
import { CALM_MS, RETRY_MS, Turns } from '../turns.ts'

/** As many as the planner answers at once: who jumps to the end waits for all before it. */
const PAGE_SIZE = 500

export interface ListPages<T> {
  readonly total: number | undefined
  readonly problem: Problem | undefined
  readonly rowAt: (row: number) => T | undefined
  readonly onSight: (rows: VisibleRows) => void
}

interface Moving<T> {
  readonly on: readonly EventKind[]
  /** Whether what moved is this row. */
  readonly isAbout: (item: T, moved: Readonly<Record<string, unknown>>) => boolean
}

/** A list behind cursors: fetched as far as one scrolls, and kept true where it is in sight. */
export function useListPages<T>(path: string, query: Query, moving: Moving<T>): ListPages<T> {
  const key = JSON.stringify([path, query])
  const [shown, setShown] = useState<{ key: string; pages: Pages<T>; problem?: Problem }>()
  const loader = useRef<Loader<T>>(undefined)
  const rule = useRef(moving)
  rule.current = moving
  useEffect(() => {
    const own = new Loader<T>(path, query, (pages, problem) =>
      setShown({ key, pages, ...(problem && { problem }) }),
    )
    loader.current = own
    own.load()
    const stop = live.listen(moving.on, ({ items, more }) =>
      own.stale((row) => more || items.some((moved) => rule.current.isAbout(row, moved))),
    )
    return () => {
      own.close()
      stop()
    }
  }, [key])
  const pages = shown?.key === key ? shown.pages : undefined
  return {
    total: pages && pages.loaded.length > 0 ? pages.total : undefined,
    problem: shown?.key === key ? shown.problem : undefined,
    rowAt: useCallback((row: number) => pages && rowAt(pages, row), [pages]),
    onSight: useCallback((rows: VisibleRows) => loader.current?.see(rows), []),
  }
}

/** Fetches one page after the other: those in sight, as far as they are not here or not true any more. */
class Loader<T> {
  readonly #path: string
  readonly #query: Query
  readonly #show: (pages: Pages<T>, problem?: Problem) => void
  readonly #turns = new Turns((signal) => this.#fetch(signal))
  #pages = emptyPages<T>(PAGE_SIZE)
  #sight: VisibleRows = { first: 0, last: 1 }

  constructor(path: string, query: Query, show: (pages: Pages<T>, problem?: Problem) => void) {
    this.#path = path
    this.#query = query
    this.#show = show
  }

  see(rows: VisibleRows): void {
    this.#sight = { first: rows.first, last: Math.max(rows.last, rows.first + 1) }
    this.load()
  }

  stale(moved: (item: T) => boolean): void {
    this.#pages = staleWhere(this.#pages, moved)
    this.#turns.soon(CALM_MS)
  }

  close(): void {
    this.#turns.close()
  }

  load(): void {
    this.#turns.soon(0)
  }

  async #fetch(signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        const due = pageDue(this.#pages, this.#sight)
        if (due === undefined) return
        const cursor = this.#pages.cursors[due] ?? undefined
        const query = { ...this.#query, limit: PAGE_SIZE, ...(cursor !== undefined && { cursor }) }
        const answer = await ask<ListOf<T>>(this.#path, { query, signal })
        this.#pages = withPage(this.#pages, due, answer)
        this.#show(this.#pages)
      }
    } catch (error) {
      if (signal.aborted) return
      const problem = problemFrom(error)
      this.#show(this.#pages, problem)
      if (problem.isPassing) this.#turns.soon(RETRY_MS)
    }
  }
}
