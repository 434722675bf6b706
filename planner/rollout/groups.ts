import { valuesOf } from '../groups/index.ts'
import { standingOf } from './members.ts'
import type { Member, Placed } from './population.ts'
import type { Roll } from './view.ts'

type Grouped = Pick<Roll, 'atomicBy' | 'members' | 'outside'>

/**
 * Devices that may be given the variant now, in the order in which waves take them. A group begins when all of its
 * devices are online, and not where one of them failed: all or none. Without groups each device is its own.
 */
export function groupsToCome(view: Grouped): readonly (readonly Placed[])[] {
  const { atomicBy } = view
  const outside = [...view.outside].sort((a, b) => (a.device < b.device ? -1 : 1))
  if (atomicBy === undefined) return outside.filter(({ online }) => online).map((one) => [one])
  const given = byGroup(view.members, atomicBy)
  return [...byGroup(outside, atomicBy)].flatMap(([group, devices]) => {
    const isClosed = (given.get(group) ?? []).some(isSpoilt)
    return devices.every(({ online }) => online) && !isClosed ? [devices] : []
  })
}

/** Devices that must give back what a mate of their group could not keep. */
export function brokenGroups(
  view: Grouped,
): readonly { readonly device: string; readonly reason: string }[] {
  const { atomicBy } = view
  if (atomicBy === undefined) return []
  return [...byGroup(view.members, atomicBy)].flatMap(([group, members]) => {
    const failed = members.find((m) => standingOf(m.state) === 'failed' && !m.forgiven)
    if (!failed) return []
    const reason = `${failed.device} of ${group} failed: all of it or none`
    return members.filter(mayGoBack).map(({ device }) => ({ device, reason }))
  })
}

/** Whose group has the label's value; who has none is alone. */
function byGroup<T extends Placed>(
  placed: readonly T[],
  atomicBy: string,
): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const each of placed) {
    const [value] = each.subject ? valuesOf(each.subject, atomicBy) : []
    const name = value === undefined ? `device=${each.device}` : `${atomicBy}=${value}`
    groups.set(name, [...(groups.get(name) ?? []), each])
  }
  return groups
}

function mayGoBack({ state, hadBefore = false }: Member): boolean {
  const standing = standingOf(state)
  return standing === 'under-way' || (standing === 'active' && hadBefore)
}

function isSpoilt({ state, forgiven }: Member): boolean {
  if (state === 'reverting' || state === 'reverted') return true
  return standingOf(state) === 'failed' && !forgiven
}
