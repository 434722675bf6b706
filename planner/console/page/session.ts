import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Role, SessionView } from './types.ts'

/** Least to most: each may do what those before it may. */
export const ROLES: readonly Role[] = ['viewer', 'operator', 'admin']

/** Who is at this page. */
export interface Session extends SessionView {
  readonly role: Role
}

export const SessionContext = createContext<Session | undefined>(undefined)

/** What the operator's role is enough for; the planner checks it again. */
export function useMay(): (least: Role) => boolean {
  const session = useContext(SessionContext)
  return (least) => ROLES.indexOf(session?.role ?? 'viewer') >= ROLES.indexOf(least)
}
