import { useEffect, useState } from 'preact/hooks'
import { ask, onSignedOut, Problem } from './api.ts'
import { Frame } from './frame.tsx'
import { live } from './live.ts'
import { type Session, SessionContext } from './session.ts'
import { SignIn } from './sign-in.tsx'

type Known =
  | { readonly kind: 'asking' }
  | { readonly kind: 'out'; readonly why: string }
  | { readonly kind: 'in'; readonly session: Session }

const OVER =
  'Your session is over: the token was revoked or has expired. The page stays where it is.'
const RETRY_MS = 2_000

/** Whoever is known sees the fleet; whoever is not signs in first, on any link, and is then where the link leads. */
export function App() {
  const [known, setKnown] = useState<Known>({ kind: 'asking' })
  useEffect(() => {
    const begin = linkToken() === undefined ? current(setKnown) : signInByLink(setKnown)
    const stop = onSignedOut(() =>
      setKnown((before) => (before.kind === 'in' ? { kind: 'out', why: OVER } : before)),
    )
    return () => {
      begin()
      stop()
    }
  }, [])
  useEffect(() => (known.kind === 'in' ? live.start() : undefined), [known.kind])
  useEffect(() => {
    // A link that signs in, followed where a page is open already, changes nothing but what is behind `#`.
    const look = () => {
      if (linkToken() !== undefined) location.reload()
    }
    addEventListener('hashchange', look)
    return () => removeEventListener('hashchange', look)
  }, [])
  if (known.kind === 'asking') return <p class="waiting-for sign-in">Asking the planner …</p>
  if (known.kind === 'out') {
    return <SignIn why={known.why} onSession={(session) => setKnown({ kind: 'in', session })} />
  }
  return (
    <SessionContext.Provider value={known.session}>
      <Frame onSignOut={() => setKnown({ kind: 'out', why: '' })} />
    </SessionContext.Provider>
  )
}

type SetKnown = (known: Known) => void

/** Who the browser's cookie says it is; a planner that is away is asked again. */
function current(set: SetKnown): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const look = () => {
    ask<Session>('/session').then(
      (session) => set({ kind: 'in', session }),
      (error: unknown) => {
        if (error instanceof Problem && error.status === 401) set({ kind: 'out', why: '' })
        else timer = setTimeout(look, RETRY_MS)
      },
    )
  }
  look()
  return () => clearTimeout(timer)
}

/** `#token=…` of a printed link: never sent with a request for a page, and gone from the link at once. */
function linkToken(): string | undefined {
  return /^#token=(\S+)$/.exec(location.hash)?.[1]
}

function signInByLink(set: SetKnown): () => void {
  const token = linkToken()
  history.replaceState(null, '', location.pathname + location.search)
  ask<Session>('/session', { method: 'POST', body: { token } }).then(
    (session) => set({ kind: 'in', session }),
    (error: unknown) => {
      const why = error instanceof Problem ? error.message : String(error)
      set({ kind: 'out', why: `The link does not sign in: ${why}` })
    },
  )
  return () => {}
}
