import { useEffect, useState } from 'preact/hooks'
import { ask, Problem, type Progress } from './api.ts'

/** What the planner says has moved: thin, so that pages load what they show. */
export const EVENT_KINDS = [
  'devices',
  'plans',
  'rollouts',
  'alarms',
  'models',
  'keys',
  'progress',
] as const
export type EventKind = (typeof EVENT_KINDS)[number]

export interface Moved {
  readonly items: readonly Readonly<Record<string, unknown>>[]
  /** There was more than is listed: load the page anew. */
  readonly more: boolean
}

export type ModelProgress = Progress & { readonly model: string }

/** `cut`: the planner does not answer; `offline`: this browser has no network. */
export type Connection = 'connecting' | 'live' | 'cut' | 'offline'

type Listener = (moved: Moved) => void

const RETRY_MS = 2_000
const EVERYTHING: Moved = { items: [], more: true }

/** One stream for the whole page. */
class Live {
  #source: EventSource | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  #connection: Connection = 'connecting'
  #wasCut = false
  readonly #listeners = new Map<EventKind, Set<Listener>>()
  readonly #watchers = new Set<(connection: Connection) => void>()

  get connection(): Connection {
    return this.#connection
  }

  watch(watcher: (connection: Connection) => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  /** What is returned ends it. */
  listen(kinds: readonly EventKind[], listener: Listener): () => void {
    const all = kinds.map((kind) => {
      const ofKind = this.#listeners.get(kind) ?? new Set()
      this.#listeners.set(kind, ofKind.add(listener))
      return ofKind
    })
    return () => {
      for (const ofKind of all) ofKind.delete(listener)
    }
  }

  start(): () => void {
    const online = () => this.#open()
    const offline = () => this.#become('offline')
    addEventListener('online', online)
    addEventListener('offline', offline)
    this.#open()
    return () => {
      removeEventListener('online', online)
      removeEventListener('offline', offline)
      clearTimeout(this.#retry)
      this.#source?.close()
    }
  }

  #open(): void {
    clearTimeout(this.#retry)
    this.#source?.close()
    const source = new EventSource('/api/v1/events')
    this.#source = source
    source.onopen = () => {
      this.#become('live')
      // What moved while nobody listened is not told twice.
      if (this.#wasCut) this.#all()
      this.#wasCut = false
    }
    source.onerror = () => void this.#broken(source)
    source.addEventListener('reset', () => this.#all())
    for (const kind of EVENT_KINDS) {
      source.addEventListener(kind, (event) => this.#tell(kind, JSON.parse(event.data) as Moved))
    }
  }

  /** Asks why: a session that is over opens no stream, and the answer to that signs the page out. */
  async #broken(source: EventSource): Promise<void> {
    if (source !== this.#source) return
    this.#wasCut = true
    this.#become(navigator.onLine ? 'cut' : 'offline')
    source.close()
    clearTimeout(this.#retry)
    const known = await ask('/planner').then(
      () => true,
      (error: unknown) => !(error instanceof Problem && error.status === 401),
    )
    if (known && source === this.#source) this.#retry = setTimeout(() => this.#open(), RETRY_MS)
  }

  #become(connection: Connection): void {
    if (connection === 'offline') this.#wasCut = true
    if (connection === this.#connection) return
    this.#connection = connection
    for (const watcher of this.#watchers) watcher(connection)
  }

  #all(): void {
    for (const kind of EVENT_KINDS) if (kind !== 'progress') this.#tell(kind, EVERYTHING)
  }

  #tell(kind: EventKind, moved: Moved): void {
    for (const listener of this.#listeners.get(kind) ?? []) listener(moved)
  }
}

export const live = new Live()

export function useConnection(): Connection {
  const [connection, setConnection] = useState(live.connection)
  useEffect(() => live.watch(setConnection), [])
  return connection
}

/** How far a model's builds and measurements are, while it says so. */
export function useProgress(model: string): ModelProgress | undefined {
  const [progress, setProgress] = useState<ModelProgress>()
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const stop = live.listen(['progress'], ({ items }) => {
      const own = (items as unknown as readonly ModelProgress[]).findLast(
        (one) => one.model === model,
      )
      if (!own) return
      setProgress(own)
      clearTimeout(timer)
      timer = setTimeout(() => setProgress(undefined), PROGRESS_SHOWN_MS)
    })
    return () => {
      stop()
      clearTimeout(timer)
    }
  }, [model])
  return progress
}

/** Nobody says that there is no more to say. */
const PROGRESS_SHOWN_MS = 15_000
