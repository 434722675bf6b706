import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { ask, type Problem, pathOf, problemFrom } from '../api.ts'
import { RETRY_MS, Turns } from '../turns.ts'
import type { Sample, SampleList } from '../types.ts'

/** Samples of one answer at most: a camera's are large, and the planner ends a page early then. */
const PAGE_SIZE = 50
/** A page that keeps more of them forgets that it is a page: the rest is for `fitment samples pull`. */
const MOST_SAMPLES = 1_000
/** Rows before the end at which the next page is asked for. */
const AHEAD = 12

export interface SamplePages {
  /** Newest first, as far as they are here. */
  readonly items: readonly Sample[]
  /** `all`: these are all there are. `full`: there are more than a page shows. */
  readonly end: 'all' | 'full' | undefined
  readonly problem: Problem | undefined
  /** Rows down to this one are in sight. */
  readonly onSight: (last: number) => void
}

interface State {
  readonly items: readonly Sample[]
  readonly next: string | null | undefined
  readonly problem?: Problem
}

const NOTHING: State = { items: [], next: undefined }

/** Captured samples, fetched as far as one scrolls. Each look from the start stands in the audit: nothing asks again by itself. */
export function useSamplePages(model: string, device: string | undefined): SamplePages {
  const [state, setState] = useState(NOTHING)
  const see = useRef<(last: number) => void>(() => {})
  useEffect(() => {
    let shown = NOTHING
    let sight = 1
    const show = (change: State) => {
      shown = change
      setState(change)
    }
    const turns = new Turns(async (signal) => {
      try {
        while (isDue(shown, sight)) {
          const cursor = shown.next ?? undefined
          const query = { newest: true, limit: PAGE_SIZE, device, cursor }
          const path = pathOf('models', model, 'samples')
          const { items, next } = await ask<SampleList>(path, { query, signal })
          show({ items: [...shown.items, ...items], next })
        }
      } catch (error) {
        if (signal.aborted) return
        const problem = problemFrom(error)
        show({ ...shown, problem })
        if (problem.isPassing) turns.soon(RETRY_MS)
      }
    })
    see.current = (last) => {
      sight = last
      turns.soon(0)
    }
    setState(NOTHING)
    turns.soon(0)
    return () => turns.close()
  }, [model, device])
  return {
    items: state.items,
    end: endOf(state),
    problem: state.problem,
    onSight: useCallback((last: number) => see.current(last), []),
  }
}

function isDue(state: State, sight: number): boolean {
  return endOf(state) === undefined && state.items.length < sight + AHEAD
}

function endOf({ items, next }: State): SamplePages['end'] {
  if (next === null) return 'all'
  return items.length >= MOST_SAMPLES ? 'full' : undefined
}
