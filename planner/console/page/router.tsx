import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { type PlaceName, pathTo, withQuery } from '../figures/place.ts'

/** Where the page is: what its link says, and nothing else. */
export interface Whereabouts {
  readonly path: string
  readonly query: Readonly<Record<string, string | undefined>>
}

const watchers = new Set<() => void>()

export function whereabouts(): Whereabouts {
  const { pathname, search } = location
  return { path: pathname, query: Object.fromEntries(new URLSearchParams(search)) }
}

export function go(link: string, how: 'push' | 'replace' = 'push'): void {
  history[how === 'push' ? 'pushState' : 'replaceState'](null, '', link)
  for (const watcher of watchers) watcher()
}

export function useWhereabouts(): Whereabouts {
  const [here, setHere] = useState(whereabouts)
  useEffect(() => {
    const look = () => setHere(whereabouts())
    watchers.add(look)
    addEventListener('popstate', look)
    return () => {
      watchers.delete(look)
      removeEventListener('popstate', look)
    }
  }, [])
  return here
}

/** Filters of a page, kept in its link; set by replacing, so that "back" leaves the page. */
export function useQuery(): [
  Whereabouts['query'],
  (change: Readonly<Record<string, string | undefined>>) => void,
] {
  const { query } = useWhereabouts()
  return [
    query,
    (change) => {
      const now = whereabouts()
      go(withQuery(now.path, { ...now.query, ...change }), 'replace')
    },
  ]
}

interface LinkProps {
  readonly to: PlaceName
  readonly named?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly class?: string
  readonly current?: boolean
  readonly children: ComponentChildren
}

/** A true link: it can be copied, opened in another tab, and read by a screen reader. */
export function Link({ to, named, query = {}, class: look, current, children }: LinkProps) {
  const href = withQuery(pathTo(to, named), query)
  return (
    <a
      href={href}
      class={look}
      aria-current={current ? 'page' : undefined}
      onClick={(event) => {
        const isPlain = !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
        if (!isPlain || event.button !== 0) return
        event.preventDefault()
        go(href)
        scrollTo(0, 0)
      }}
    >
      {children}
    </a>
  )
}
