import { SERVING } from '../../rollout/index.ts'
import {
  type Device,
  devices as deviceRows,
  memberships,
  orders,
  type Rollout,
  type RolloutDevice,
  rollouts,
  type Variant,
  variants,
} from '../../storage/index.ts'
import { commit } from '../context/commit.ts'
import type { ConductorContext } from '../context/context.ts'
import { isUnderWay } from './advance-rollout.ts'
import { activeVariant, assignAll, MOST_ATTEMPTS, type NewAssignment } from './assignments.ts'

/** Devices that are read at a time. */
const PAGE = 200

/**
 * Looks at the places these devices have in open rollouts: assignments that ran out before they arrived, and variants a
 * device no longer has, are given again. Rollouts of their class are looked at after that, since they count who is here.
 */
export async function advanceMembers(
  context: ConductorContext,
  ids: readonly string[],
  waiting: ReadonlySet<string>,
): Promise<void> {
  const { db, agenda } = context
  const open = await rollouts.openRollouts(db)
  if (open.length === 0) return
  const byId = new Map(open.map((rollout) => [rollout.id, rollout]))
  for (let from = 0; from < ids.length; from += PAGE) {
    const page = ids.slice(from, from + PAGE)
    const devices = await deviceRows.findDevices(db, page)
    const places = await memberships.openMemberships(db, page)
    const classes = new Set([...devices.values()].map((device) => device.class))
    for (const { id, class: classId } of open) if (classes.has(classId)) agenda.rollout(id)
    for (const { rollout } of places) agenda.rollout(rollout)
    await renewAll(context, places, devices, byId, waiting)
  }
}

/** Every member of an open rollout, page by page: what the sweep looks at. */
export async function sweepMembers(
  context: ConductorContext,
  rollout: Rollout,
  waiting: ReadonlySet<string>,
): Promise<void> {
  const { db } = context
  const byId = new Map([[rollout.id, rollout]])
  for (let after = ''; !context.stopping.aborted; ) {
    const places = await memberships.pageOfMembers(db, rollout.id, after, PAGE)
    const last = places.at(-1)
    if (!last) return
    after = last.device
    const devices = await deviceRows.findDevices(
      db,
      places.map(({ device }) => device),
    )
    await renewAll(context, places, devices, byId, waiting)
    await context.meanwhile()
  }
}

async function renewAll(
  context: ConductorContext,
  places: readonly RolloutDevice[],
  devices: ReadonlyMap<string, Device>,
  open: ReadonlyMap<string, Rollout>,
  waiting: ReadonlySet<string>,
): Promise<void> {
  const again = new Map<Rollout, NewAssignment[]>()
  for (const place of places) {
    const rollout = open.get(place.rollout)
    const device = devices.get(place.device)
    if (!rollout || !device?.online || device.class !== rollout.class) continue
    if (!SERVING.includes(rollout.state) || waiting.has(rollout.id) || !place.variant) continue
    const variant = await needsAgain(context, rollout, place, device)
    if (!variant) continue
    if (place.attempt >= MOST_ATTEMPTS) {
      await giveUp(context, place)
      continue
    }
    const { wave, previous, attempt } = place
    const member = { wave, previous, state: 'ordered', attempt: attempt + 1 } as const
    again.set(rollout, [...(again.get(rollout) ?? []), { device, variant, member }])
  }
  for (const [rollout, all] of again) await assignAll(context, rollout, all)
}

/** The variant that the device must be told of once more; undefined where all is well. */
async function needsAgain(
  { db, now }: ConductorContext,
  { modelName }: Rollout,
  { state, orderId, variant: key }: RolloutDevice,
  device: Device,
): Promise<Variant | undefined> {
  if (isUnderWay(state)) {
    const order = orderId ? await orders.findOrder(db, orderId) : undefined
    const isOver = order?.expiresAt !== null && new Date(order?.expiresAt ?? 0) <= now()
    return isOver ? await variants.findVariant(db, key ?? '') : undefined
  }
  if (state !== 'active') return undefined
  const variant = await variants.findVariant(db, key ?? '')
  return variant && variant.digest !== activeVariant(device, modelName) ? variant : undefined
}

async function giveUp(context: ConductorContext, place: RolloutDevice): Promise<void> {
  const error = `given up after ${place.attempt} attempts: the device does not keep the variant`
  await commit(context, 'device.failed', (trx) =>
    rollouts.setMemberState(trx, place, { state: 'failed', error }, context.now()),
  )
  context.agenda.rollout(place.rollout)
}
