import { createContext } from 'preact'
import { useContext } from 'preact/hooks'

export type Role = 'viewer' | 'operator' | 'admin'
const ORDER: readonly Role[] = ['viewer', 'operator', 'admin']

/** Who is at this page. */
export interface Session {
  readonly actor: string
  readonly name: string
  readonly role: Role
  readonly expiresAt: string | null
}

export const SessionContext = createContext<Session | undefined>(undefined)

/** What the operator's role is enough for; the planner checks it again. */
export function useMay(): (least: Role) => boolean {
  const session = useContext(SessionContext)
  return (least) => ORDER.indexOf(session?.role ?? 'viewer') >= ORDER.indexOf(least)
}
