/** States are told by a shape and a word; colour only repeats them. */
const SHAPES = {
  disc: <circle cx="6" cy="6" r="5" fill="currentColor" />,
  ring: <circle cx="6" cy="6" r="4.25" fill="none" stroke="currentColor" stroke-width="1.5" />,
  half: (
    <>
      <circle cx="6" cy="6" r="4.25" fill="none" stroke="currentColor" stroke-width="1.5" />
      <path d="M6 1.75a4.25 4.25 0 0 1 0 8.5z" fill="currentColor" />
    </>
  ),
  check: <path d="M1.5 6.5 4.7 9.7 10.7 2.7" fill="none" stroke="currentColor" stroke-width="2" />,
  cross: <path d="M2 2l8 8M10 2l-8 8" fill="none" stroke="currentColor" stroke-width="2" />,
  triangle: <path d="M6 1 11.5 11H.5z" fill="currentColor" />,
  square: <rect x="1.5" y="1.5" width="9" height="9" fill="currentColor" />,
  bars: <path d="M3 1.5v9M9 1.5v9" fill="none" stroke="currentColor" stroke-width="2.5" />,
  dash: <path d="M1.5 6h9" fill="none" stroke="currentColor" stroke-width="2" />,
  diamond: <path d="M6 .8 11.2 6 6 11.2.8 6z" fill="currentColor" />,
  back: (
    <path
      d="M4.5 2 1.5 5l3 3M1.5 5h6a3 3 0 0 1 0 6H6"
      fill="none"
      stroke="currentColor"
      stroke-width="1.6"
    />
  ),
} as const
type Shape = keyof typeof SHAPES
type Tone = 'good' | 'bad' | 'warn' | 'quiet' | 'plain'

/** Every state that the planner names, as it is shown. A word that is not here is shown as it is. */
const STATES: Readonly<Record<string, readonly [Shape, Tone]>> = {
  online: ['disc', 'good'],
  offline: ['ring', 'quiet'],
  retired: ['dash', 'quiet'],
  'shut out': ['cross', 'bad'],
  running: ['half', 'good'],
  'awaiting-approval': ['diamond', 'warn'],
  paused: ['bars', 'warn'],
  done: ['check', 'good'],
  aborted: ['square', 'bad'],
  superseded: ['dash', 'quiet'],
  active: ['check', 'good'],
  ordered: ['ring', 'quiet'],
  accepted: ['half', 'plain'],
  downloading: ['half', 'plain'],
  verified: ['half', 'plain'],
  installed: ['half', 'plain'],
  failed: ['cross', 'bad'],
  refused: ['cross', 'bad'],
  'rolled-back': ['back', 'bad'],
  reverting: ['back', 'warn'],
  reverted: ['back', 'quiet'],
  released: ['dash', 'quiet'],
  unfit: ['dash', 'quiet'],
  raised: ['triangle', 'bad'],
  quiet: ['check', 'quiet'],
  chosen: ['check', 'good'],
  kept: ['ring', 'plain'],
  dropped: ['cross', 'quiet'],
  pending: ['half', 'quiet'],
  stuck: ['triangle', 'bad'],
  selected: ['check', 'good'],
  good: ['check', 'good'],
  expired: ['ring', 'quiet'],
  revoked: ['cross', 'quiet'],
  waiting: ['diamond', 'warn'],
  published: ['check', 'good'],
  live: ['disc', 'good'],
  warning: ['triangle', 'warn'],
  error: ['cross', 'bad'],
  info: ['ring', 'quiet'],
  'in use': ['check', 'good'],
  measured: ['check', 'good'],
  lost: ['ring', 'bad'],
  cancelled: ['dash', 'quiet'],
}

export function Mark({ state, words }: { readonly state: string; readonly words?: string }) {
  const [shape, tone] = STATES[state] ?? (['half', 'quiet'] as const)
  return (
    <span class={`mark ${tone}`}>
      <svg viewBox="0 0 12 12" aria-hidden="true">
        {SHAPES[shape]}
      </svg>
      {words ?? state.replaceAll('-', ' ')}
    </span>
  )
}
