import type { TargetFile } from '@tufjs/models'
import type { MetadataOf } from '../../shared/trust/index.ts'

export interface TargetFound {
  readonly target: TargetFile
  /** The role that signs it. */
  readonly role: string
}

type Load = (role: string, delegator: string) => Promise<MetadataOf<'targets'>['signed']>

/** Depth first in the order of trust, TUF 1.0 §5.6.7; each role once, at most `limit` of them. */
export async function findTarget(
  path: string,
  limit: number,
  load: Load,
): Promise<TargetFound | undefined> {
  const visited = new Set<string>()
  let waiting = [{ role: 'targets', from: 'root' }]
  while (visited.size <= limit) {
    const next = waiting.pop()
    if (!next) return undefined
    if (visited.has(next.role)) continue
    const signed = await load(next.role, next.from)
    if (Object.hasOwn(signed.targets, path)) {
      const target = signed.targets[path]
      if (target) return { target, role: next.role }
    }
    visited.add(next.role)
    const { roles, terminating } = childrenFor(path, signed)
    if (terminating) waiting = []
    // The last one is visited first.
    waiting.push(...roles.map((role) => ({ role, from: next.role })).reverse())
  }
  return undefined
}

/** Roles this one delegates the path to, up to the first that ends the search. */
function childrenFor(path: string, signed: MetadataOf<'targets'>['signed']) {
  const roles: string[] = []
  for (const { role, terminating } of signed.delegations?.rolesForTarget(path) ?? []) {
    roles.push(role)
    if (terminating) return { roles, terminating }
  }
  return { roles, terminating: false }
}
