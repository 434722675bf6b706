import {
  REPOSITORIES,
  type RepositoryName,
  TOP_ROLES,
  type TopRole,
} from '../../shared/trust/index.ts'

/** Whose key signs what. `root` and `release` may lie offline; `director` and `publisher` sign by machine. */
export const KEY_ROLES = ['root', 'release', 'director', 'publisher'] as const
export type KeyRole = (typeof KEY_ROLES)[number]

export const KEY_ROLE_OF: Readonly<Record<RepositoryName, Readonly<Record<TopRole, KeyRole>>>> = {
  director: { root: 'root', targets: 'director', snapshot: 'director', timestamp: 'director' },
  image: { root: 'root', targets: 'release', snapshot: 'publisher', timestamp: 'publisher' },
}

/** Keys that must be where the planner is: it signs with them at any moment. */
export function signsByMachine(keyRole: KeyRole): boolean {
  return keyRole === 'director' || keyRole === 'publisher'
}

export interface RepositoryRole {
  readonly repository: RepositoryName
  readonly role: TopRole
}

export function rolesSignedBy(keyRole: KeyRole): RepositoryRole[] {
  return REPOSITORIES.flatMap((repository) =>
    TOP_ROLES.filter((role) => KEY_ROLE_OF[repository][role] === keyRole).map((role) => ({
      repository,
      role,
    })),
  )
}
