import { asksWho, type Member, type Placed, type Roll } from '../../rollout/index.ts'
import {
  devices as deviceRows,
  orders,
  type Rollout,
  retirements,
  rollouts,
  windows,
} from '../../storage/index.ts'
import type { ConductorContext } from '../context/context.ts'
import { hoursOf, opensAt } from './hours.ts'
import { leavesToNewer, meantBy, subjectsOfClass } from './meant.ts'

const MINUTE_MS = 60_000

/**
 * The devices of a rollout one by one, where it matters who they are: it asks for labels or groups, keeps a rate, leaves
 * some to a newer one, waits for hours, or some of the class are out of service. Null: their numbers say all.
 */
export async function rollOf(context: ConductorContext, rollout: Rollout): Promise<Roll | null> {
  const { db } = context
  const { options } = rollout
  if (!(await isParticular(context, rollout))) return null
  const members = await rollouts.membersOf(db, rollout.id)
  const devices = await deviceRows.presenceOfClass(db, rollout.class)
  const subjects = subjectsOfClass(db, rollout.class)
  const meant = await meantBy(db, rollout, subjects)
  const hours = options.atOnce ? new Map() : await hoursOf(db, subjects)
  const now = context.now()
  // Who cannot keep a window is told nothing before it opens.
  const isHeld = (id: string) => {
    const own = hours.get(id)
    return own !== undefined && own.zone === null && opensAt(own, now) !== null
  }
  const online = new Map(devices.map((device) => [device.id, device.online]))
  const joined = new Set(members.map(({ device }) => device))
  const subjectOf = (device: string): Pick<Placed, 'subject'> => {
    const subject = meant.subjects.get(device)
    return subject === undefined ? {} : { subject }
  }
  const aMinuteAgo = new Date(now.getTime() - MINUTE_MS)
  return {
    atomicBy: options.atomicBy,
    rate: options.rate,
    toldThisMinute: options.rate ? await orders.toldSince(db, rollout.id, aMinuteAgo) : 0,
    members: members.map(
      ({ device, state, forgiven, previous }): Member => ({
        device,
        state,
        forgiven,
        online: online.get(device) ?? false,
        hadBefore: previous !== null,
        ...subjectOf(device),
      }),
    ),
    outside: devices
      .filter(({ id }) => !joined.has(id) && meant.isFor(id))
      .map(({ id, online }) => ({ device: id, online: online && !isHeld(id), ...subjectOf(id) })),
  }
}

async function isParticular({ db }: ConductorContext, rollout: Rollout): Promise<boolean> {
  const { options, class: classId } = rollout
  if (asksWho(options) || options.rate !== undefined) return true
  if (!options.atOnce && (await windows.listWindows(db)).length > 0) return true
  return (await leavesToNewer(db, rollout)) || (await retirements.someOfClass(db, classId))
}
