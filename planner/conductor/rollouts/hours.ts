import { untilOpen, type Window } from '../../../shared/windows/index.ts'
import { matches } from '../../groups/index.ts'
import { type Db, windows as windowRows } from '../../storage/index.ts'
import type { Subjects } from './meant.ts'

/** When a device may switch. */
export interface Hours {
  readonly windows: readonly Window[]
  /** Where it stands; null: its agent does not say, and keeps no windows: they are kept here. */
  readonly zone: string | null
}

/** Of these the devices that some window is for; the others may switch at any time. */
export async function hoursOf(db: Db, among: Subjects): Promise<ReadonlyMap<string, Hours>> {
  const all = await windowRows.listWindows(db)
  if (all.length === 0) return new Map()
  const zones = await windowRows.zones(db)
  const found = new Map<string, Hours>()
  for (const subject of await among()) {
    const own = all.filter(({ where }) => matches(where, subject)).map(({ window }) => window)
    if (own.length === 0) continue
    found.set(subject.device, { windows: own, zone: zones.get(subject.device) ?? null })
  }
  return found
}

/** When one opens; null: it is open. */
export function opensAt({ windows, zone }: Hours, now: Date): Date | null {
  const wait = untilOpen(windows, now, zone ?? 'UTC')
  return wait === 0 ? null : new Date(now.getTime() + (wait ?? 0))
}
