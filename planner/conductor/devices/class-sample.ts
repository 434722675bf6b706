import { type Db, type Device, devices, tallies } from '../../storage/index.ts'

/** Fresh devices that a tournament may choose from: more than it ever tries. */
const FRESH = 48

/**
 * Devices of a class that may measure: all of a small class; of a large one those that already did, and as many others that
 * are here as a tournament could need. Planning takes as long for ten thousand devices as for a hundred.
 */
export async function sampleOfClass(
  db: Db,
  classId: string,
  tried: ReadonlySet<string>,
): Promise<readonly Device[]> {
  const { online, offline } = await tallies.classTally(db, classId)
  if (online + offline <= 2 * FRESH || online === 0)
    return devices.someOfClass(db, classId, 2 * FRESH)
  const known = await devices.findDevices(db, [...tried])
  const fresh = await devices.onlineOfClass(db, classId, '', FRESH + tried.size)
  const sampled = new Map(known)
  for (const device of fresh) {
    if (sampled.size >= known.size + FRESH) break
    sampled.set(device.id, device)
  }
  return [...sampled.values()]
    .filter((device) => device.class === classId)
    .sort((a, b) => (a.id < b.id ? -1 : 1))
}
