import {
  REPOSITORIES,
  type RepositoryName,
  TOP_ROLES,
  type TopRole,
} from '../../shared/trust/index.ts'

/** Whose key signs what. `root` and `release` may lie offline; `director` and `publisher` sign by machine. */
export const KEY_HOLDERS = ['root', 'release', 'director', 'publisher'] as const
export type KeyHolder = (typeof KEY_HOLDERS)[number]

export const HOLDER_OF: Readonly<Record<RepositoryName, Readonly<Record<TopRole, KeyHolder>>>> = {
  director: { root: 'root', targets: 'director', snapshot: 'director', timestamp: 'director' },
  image: { root: 'root', targets: 'release', snapshot: 'publisher', timestamp: 'publisher' },
}

/** Keys that must be where the planner is: it signs with them at any moment. */
export function signsByMachine(holder: KeyHolder): boolean {
  return holder === 'director' || holder === 'publisher'
}

export interface HeldRole {
  readonly repository: RepositoryName
  readonly role: TopRole
}

export function rolesHeldBy(holder: KeyHolder): HeldRole[] {
  return REPOSITORIES.flatMap((repository) =>
    TOP_ROLES.filter((role) => HOLDER_OF[repository][role] === holder).map((role) => ({
      repository,
      role,
    })),
  )
}
