import {
  type ClassMatch,
  classifierOf,
  effectiveBudget,
  engineClass,
  type Profile,
} from '../../classes/index.ts'
import {
  type ClassPart,
  classParts,
  type Db,
  type Device,
  devices,
  probes as probeRows,
} from '../../storage/index.ts'
import { deviceFacts } from './device-facts.ts'

/** The class by its report alone (`classifierOf`). */
export type ClassOf = (report: Device['report']) => ClassMatch

type Classified = Pick<Device, 'id' | 'report' | 'runtimes' | 'memoryLimitBytes'>

/** Class, why, and what a model may take there. */
export async function classificationOf(
  db: Db,
  device: Classified,
  classOf: ClassOf,
  known: readonly ClassPart[],
): Promise<devices.Classification> {
  const { report, runtimes, memoryLimitBytes } = device
  const match = classOf(report)
  const budget = effectiveBudget(match.profile, report, { memoryLimitBytes })
  const whole = engineClass(match.class, runtimes)
  const parts = await partsOf(db, device, whole, known)
  return {
    class: parts.at(-1)?.part ?? whole,
    reason: [
      ...match.reasons,
      ...parts.map(({ fact, value, reason }) => `${fact} ${value}: the class ${reason}`),
      `memory for a model: ${budget.memory.reason}`,
      `storage for a model: ${budget.storage.reason}`,
    ],
    storageRoom: budget.storage.bytes,
    memoryRoom: budget.memory.bytes,
  }
}

/** The part of a class that was split, and of that part, if it was split too. */
async function partsOf(
  db: Db,
  device: Classified,
  whole: string,
  known: readonly ClassPart[],
): Promise<readonly ClassPart[]> {
  if (!known.some((one) => one.class === whole)) return []
  const facts = deviceFacts(device, await probeRows.newestRecordOn(db, device.id))
  const found: ClassPart[] = []
  for (let name = whole; ; ) {
    const part = known.find((one) => one.class === name && facts.get(one.fact) === one.value)
    if (!part || found.includes(part)) return found
    found.push(part)
    name = part.part
  }
}

/** Devices that are read at a time. */
const PAGE = 500

/** Profiles may have changed since the last start: every device once more, and only what differs is written. */
export async function reclassifyAll(db: Db, profiles: readonly Profile[]): Promise<void> {
  for (let after = ''; ; ) {
    const page = await devices.pageOfDevices(db, after, PAGE)
    const last = page.at(-1)
    if (!last) return
    after = last.id
    await db.transaction().execute((trx) => reclassifyDevices(trx, page, profiles))
  }
}

/** Answers which of them are of another class, or have other room, than before. */
export async function reclassifyDevices(
  trx: Db,
  some: readonly Device[],
  profiles: readonly Profile[],
): Promise<readonly string[]> {
  const parts = await classParts.listParts(trx)
  const classOf = classifierOf(profiles)
  const changed: string[] = []
  for (const device of some) {
    const found = await classificationOf(trx, device, classOf, parts)
    const isSame =
      found.class === device.class &&
      found.storageRoom === device.storageRoom &&
      found.memoryRoom === device.memoryRoom &&
      found.reason.join('\n') === device.classReason.join('\n')
    if (isSame) continue
    await devices.recordClass(trx, device.id, found)
    changed.push(device.id)
  }
  return changed
}
