import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { ask, type Problem, problemFrom, type Query } from './api.ts'
import { type EventKind, live } from './live.ts'
import { CALM_MS, RETRY_MS, Turns } from './turns.ts'

export interface Answered<T> {
  /** The newest there is; stays while a newer one is on its way. */
  readonly value: T | undefined
  readonly problem: Problem | undefined
  /** Asks anew, now. */
  readonly again: () => void
}

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
      if (problem.isPassing) turns.soon(RETRY_MS)
    }
  })
  turns.soon(0)
  return turns
}

/** Calls whenever something moved that the newest asking is about. */
function listen(asking: { readonly current: Asking }, onMoved: () => void): () => void {
  return live.listen(asking.current.on ?? [], ({ items, more }) => {
    const { about } = asking.current
    if (more || about === undefined || items.some(about)) onMoved()
  })
}
