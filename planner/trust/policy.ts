import type { TrustedKey } from '../../shared/signatures/index.ts'
import {
  type SignedKinds,
  TOP_ROLES,
  type TopRole,
  trustedKeyOf,
  tufKeyId,
  tufKeyOf,
} from '../../shared/trust/index.ts'
import type { RolePolicy, RootPolicy } from './documents.ts'
import type { Requirement } from './signing-request.ts'

/** Who may sign for a role under this root. */
export function policyFor(root: SignedKinds['root'], role: TopRole): RolePolicy {
  const { keyIDs = [], threshold = 1 } = root.roles[role] ?? {}
  const keys = keyIDs.flatMap((id) => {
    const value = root.keys[id]?.keyVal.public
    return value
      ? [trustedKeyOf({ keytype: 'ed25519', keyval: { public: value }, scheme: 'ed25519' })]
      : []
  })
  return { keys, threshold }
}

export function policyOf(root: SignedKinds['root']): RootPolicy {
  const [r, t, s, g] = TOP_ROLES.map((role) => policyFor(root, role)) as [
    RolePolicy,
    RolePolicy,
    RolePolicy,
    RolePolicy,
  ]
  return { root: r, timestamp: t, snapshot: s, targets: g }
}

export function requirementOf(reason: string, { keys, threshold }: RolePolicy): Requirement {
  return {
    reason,
    threshold,
    keys: Object.fromEntries(keys.map((key) => [tufKeyId(key), tufKeyOf(key)])),
  }
}

/** Keys that come and go, and how many must sign from now on. */
export interface PolicyChange {
  readonly add?: readonly TrustedKey[]
  /** TUF key ids. */
  readonly remove?: readonly string[]
  readonly threshold?: number
}

export function changed(policy: RolePolicy, change: PolicyChange | undefined): RolePolicy {
  if (!change) return policy
  const { add = [], remove = [], threshold = policy.threshold } = change
  const added = new Set(add.map(tufKeyId))
  const kept = policy.keys.filter(
    (key) => !remove.includes(tufKeyId(key)) && !added.has(tufKeyId(key)),
  )
  return { keys: [...kept, ...add], threshold }
}
