import { shardOf } from '../../cluster/index.ts'
import { type Db, devices } from '../../storage/index.ts'

/** Devices that are read at a time. */
const PAGE = 2_000

/** Ids of all devices of these parts of the fleet. */
export async function ownedOf(db: Db, shards: ReadonlySet<number>): Promise<readonly string[]> {
  const owned: string[] = []
  for (let after = ''; ; ) {
    const page = await devices.pageOfIds(db, after, PAGE)
    const last = page.at(-1)
    if (last === undefined) return owned
    after = last
    for (const id of page) if (shards.has(shardOf(id))) owned.push(id)
  }
}

/** Whose planner ended may have left meanwhile: those of them that nobody hears are offline. Answers which. */
export async function noteAbsent(
  db: Db,
  taken: readonly string[],
  isHere: (device: string) => boolean,
  at: Date,
): Promise<readonly string[]> {
  const gone: string[] = []
  const silent = taken.filter((device) => !isHere(device))
  for (let from = 0; from < silent.length; from += PAGE) {
    const part = silent.slice(from, from + PAGE).filter((device) => !isHere(device))
    gone.push(...(await devices.noteOffline(db, part, at)))
  }
  return gone
}
