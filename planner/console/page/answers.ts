import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { ask, type Problem, problemFrom, type Query } from './api.ts'
import { type EventKind, live, type Moved } from './live.ts'

export interface Answered<T> {
  /** The newest there is; stays while a newer one is on its way. */
  readonly value: T | undefined
  readonly problem: Problem | undefined
  /** Asks anew, now. */
  readonly again: () => void
}

/** At most so often a page asks again because something moved. */
const CALM_MS = 1_000
const RETRY_MS = 3_000

interface Asking {
  readonly query?: Query
  /** What may change the answer. */
  readonly on?: readonly EventKind[]
  /** Of what moved, that which concerns this answer; absent: all. */
  readonly about?: (item: Readonly<Record<string, unknown>>) => boolean
}

interface State<T> {
  readonly key: string | null
  readonly value?: T
  readonly problem?: Problem | undefined
}

/** What the planner answers to a path, kept true while the page is open. Null: nothing is asked. */
export function useAnswer<T>(path: string | null, asking: Asking = {}): Answered<T> {
  const key = path === null ? null : JSON.stringify([path, asking.query])
  const [state, setState] = useState<State<T>>({ key })
  const run = useRef<() => void>(() => {})
  const newest = useRef(asking)
  newest.current = asking
  useEffect(() => {
    if (path === null || key === null) return undefined
    const turns = asked<T>(path, newest.current.query, (change) =>
      setState((before) => ({ ...(before.key === key ? before : { key }), ...change })),
    )
    run.current = () => turns.soon(0)
    const stop = listen(newest, () => turns.soon(CALM_MS))
    return () => {
      stop()
      turns.close()
    }
  }, [key])
  const again = useCallback(() => run.current(), [])
  const isSame = state.key === key
  return {
    value: isSame ? state.value : undefined,
    problem: isSame ? state.problem : undefined,
    again,
  }
}

/** Asks, and asks again later where nobody answered. */
function asked<T>(
  path: string,
  query: Query | undefined,
  set: (change: { value?: T; problem?: Problem | undefined }) => void,
): Turns {
  const turns = new Turns(async (signal) => {
    try {
      const value = await ask<T>(path, { ...(query && { query }), signal })
      if (!signal.aborted) set({ value, problem: undefined })
    } catch (error) {
      if (signal.aborted) return
      const problem = problemFrom(error)
      set({ problem })
      if (problem.status === 0 || problem.status >= 500) turns.soon(RETRY_MS)
    }
  })
  turns.soon(0)
  return turns
}

/** Calls whenever something moved that the newest asking is about. */
function listen(asking: { readonly current: Asking }, onMoved: () => void): () => void {
  const isOurs = ({ items, more }: Moved) => {
    const { about } = asking.current
    return more || about === undefined || items.some(about)
  }
  const stops = (asking.current.on ?? []).map((kind) =>
    live.listen(kind, (moved) => {
      if (isOurs(moved)) onMoved()
    }),
  )
  return () => {
    for (const stop of stops) stop()
  }
}

/** One question at a time; who asks while one is under way is heard once after it. */
class Turns {
  readonly #work: (signal: AbortSignal) => Promise<void>
  readonly #closed = new AbortController()
  #timer: ReturnType<typeof setTimeout> | undefined
  #isBusy = false
  #isWanted = false

  constructor(work: (signal: AbortSignal) => Promise<void>) {
    this.#work = work
  }

  soon(delayMs: number): void {
    if (this.#timer !== undefined && delayMs > 0) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#turn(), delayMs)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#closed.abort()
  }

  async #turn(): Promise<void> {
    this.#timer = undefined
    if (this.#isBusy) {
      this.#isWanted = true
      return
    }
    this.#isBusy = true
    await this.#work(this.#closed.signal)
    this.#isBusy = false
    if (!this.#isWanted || this.#closed.signal.aborted) return
    this.#isWanted = false
    this.soon(0)
  }
}
