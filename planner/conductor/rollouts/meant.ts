import { matches, type Selector, type Subject } from '../../groups/index.ts'
import { asksWho } from '../../rollout/index.ts'
import {
  type Db,
  type Device,
  deviceLabels,
  devices as deviceRows,
  type Rollout,
  rollouts,
  subjectOf,
  subjectsInService,
} from '../../storage/index.ts'

/** Which devices of its class a rollout is for, as labels are this moment. */
export interface Meant {
  /** Empty where no selector of the rollout asks. */
  readonly subjects: ReadonlyMap<string, Subject>
  /** Whether it may take this device, if it has not yet. */
  isFor(device: string): boolean
}

export type Subjects = () => Promise<readonly Subject[]>

/** Read when somebody first asks who they are, and once. */
export function subjectsOfClass(db: Db, classId: string): Subjects {
  let read: ReturnType<Subjects> | undefined
  return () => {
    read ??= subjectsInService(db, classId)
    return read
  }
}

/**
 * A rollout for part of a class leaves the rest to an older one, and that one leaves to it all whom it is for. Who was
 * given a variant stays where it was given: a label that is lost takes nothing back.
 */
export async function meantBy(db: Db, rollout: Rollout, ofClass: Subjects): Promise<Meant> {
  const newer = await newerSelectors(db, rollout)
  const { options } = rollout
  if (newer.length === 0 && !asksWho(options)) return { subjects: new Map(), isFor: () => true }
  const subjects = new Map((await ofClass()).map((one) => [one.device, one]))
  return {
    subjects,
    isFor(device) {
      const subject = subjects.get(device)
      if (subject === undefined) return false
      return (
        matches(options.where ?? [], subject) && !newer.some((where) => matches(where, subject))
      )
    },
  }
}

/** Whether a rollout that began after it, beside it, takes some of its class. */
export async function leavesToNewer(db: Db, rollout: Rollout): Promise<boolean> {
  return (await newerSelectors(db, rollout)).length > 0
}

/** Of rollouts that began after this one, beside it. */
async function newerSelectors(db: Db, rollout: Rollout): Promise<readonly Selector[]> {
  const open = await rollouts.openRollouts(db)
  const at = open.findIndex(({ id }) => id === rollout.id)
  return open
    .slice(at + 1)
    .filter((other) => other.modelName === rollout.modelName && other.class === rollout.class)
    .map(({ options }) => options.where ?? [])
}

/** Classes that devices belong to; where a selector is given, devices that it matches. */
export async function classesMeant(
  db: Db,
  where: Selector | undefined,
): Promise<readonly string[]> {
  const all = await deviceRows.classesInUse(db)
  if (where === undefined) return all
  const subjects = await subjectsInService(db)
  const meant = new Set(subjects.filter((one) => matches(where, one)).map((one) => one.class))
  return all.filter((id) => meant.has(id))
}

export async function subjectsOf(db: Db, devices: readonly Device[]): Promise<readonly Subject[]> {
  const labels = await deviceLabels.deviceLabels(db)
  return devices.map((device) => subjectOf(device, labels.get(device.id)?.labels ?? {}))
}
