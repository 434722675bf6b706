import { useContext, useEffect, useRef } from 'preact/hooks'
import { type Place, type PlaceName, placeOf } from '../figures/place.ts'
import { useAnswer } from './answers.ts'
import { ask } from './api.ts'
import { type Connection, useConnection } from './live.ts'
import { Nowhere, PAGES } from './pages.tsx'
import { Mark } from './parts/mark.tsx'
import { Link, useWhereabouts } from './router.tsx'
import { SessionContext, useMay } from './session.ts'
import type { AlarmList, BatchList, PlannerInfo } from './types.ts'

/** In the order in which they are listed; each with the pages that belong to it. */
const SECTIONS: readonly (readonly [PlaceName, string, readonly PlaceName[]])[] = [
  ['fleet', 'Fleet', ['fleet', 'device']],
  ['models', 'Models', ['models', 'newModel', 'model', 'compare']],
  ['rollouts', 'Rollouts', ['rollouts', 'rollout', 'newRollout']],
  ['health', 'Health', ['health']],
  ['audit', 'Audit', ['audit']],
  ['keys', 'Keys', ['keys']],
  ['settings', 'Settings', ['settings']],
]

export function Frame({ onSignOut }: { readonly onSignOut: () => void }) {
  const { path } = useWhereabouts()
  const place = placeOf(path === '/' ? '/fleet' : path)
  return (
    <div class="frame">
      <Banner />
      <Side place={place} onSignOut={onSignOut} />
      <main id="main">
        <Page place={place} />
      </main>
    </div>
  )
}

function Page({ place }: { readonly place: Place | undefined }) {
  if (place === undefined) return <Nowhere />
  const Shown = PAGES[place.name]
  return <Shown key={JSON.stringify(place)} named={place.named} />
}

const BANNERS: Readonly<Record<Connection, string | undefined>> = {
  connecting: undefined,
  live: undefined,
  cut: 'The planner does not answer. What is shown may be old; the page goes on by itself once it does.',
  offline:
    'This browser is offline. What is shown is as it was; nothing that is asked for is sent.',
}

function Banner() {
  const words = BANNERS[useConnection()]
  return (
    <div role="status" class={words === undefined ? 'visually-hidden' : 'banner'}>
      {words !== undefined && <Mark state="warning" words={words} />}
    </div>
  )
}

interface SideProps {
  readonly place: Place | undefined
  readonly onSignOut: () => void
}

function Side({ place, onSignOut }: SideProps) {
  const info = useAnswer<PlannerInfo>('/planner')
  const waiting = useWaiting()
  const nav = useRef<HTMLElement>(null)
  const name = place?.name
  // On a narrow page the places are one line that scrolls.
  useEffect(() => {
    if (name === undefined) return
    const current = nav.current?.querySelector('[aria-current]')
    current?.scrollIntoView({ block: 'nearest', inline: 'center' })
  }, [name])
  return (
    <div class="side">
      <div class="top">
        <Link to="fleet" class="brand">
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <rect width="16" height="16" rx="3" fill="currentColor" class="brand-tile" />
            <path d="M4 12V4h8v2H6.4v1.7h4.6v2H6.4V12z" class="brand-letter" />
          </svg>
          <span>
            Fitment
            <small>{info.value === undefined ? ' ' : `fleet ${info.value.fleet}`}</small>
          </span>
        </Link>
      </div>
      <nav aria-label="Console" ref={nav}>
        <ul class="places">
          {SECTIONS.map(([to, words, members]) => (
            <li key={to}>
              <Link to={to} current={name !== undefined && members.includes(name)}>
                <span>{words}</span>
                {waiting[to] ? (
                  <span class="warn">
                    {waiting[to]}
                    <span class="visually-hidden"> waiting</span>
                  </span>
                ) : null}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <Who onSignOut={onSignOut} />
    </div>
  )
}

/** What calls for somebody: alarms that are raised, metadata that waits for a signature. */
function useWaiting(): Partial<Record<PlaceName, number>> {
  const alarms = useAnswer<AlarmList>('/alarms', { query: { limit: 1 }, on: ['alarms'] })
  const batches = useAnswer<BatchList>('/keys/batches', { on: ['keys'] })
  return {
    health: alarms.value?.total ?? alarms.value?.items.length ?? 0,
    keys: batches.value?.items.length ?? 0,
  }
}

function Who({ onSignOut }: { readonly onSignOut: () => void }) {
  const session = useContext(SessionContext)
  const connection = useConnection()
  const may = useMay()
  return (
    <div class="who">
      <span>
        {connection === 'live' ? (
          <Mark state="live" words="Live" />
        ) : (
          <Mark state="offline" words={connection === 'connecting' ? 'Connecting' : 'Not live'} />
        )}
      </span>
      <span>
        {session?.name}, {session?.role}
        {!may('operator') && ' (reads only)'}
      </span>
      <span>
        <button
          type="button"
          class="plain"
          onClick={() => void ask('/session', { method: 'DELETE' }).finally(onSignOut)}
        >
          Sign out
        </button>
      </span>
    </div>
  )
}
