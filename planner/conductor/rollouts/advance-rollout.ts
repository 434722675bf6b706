import { profileOf } from '../../classes/index.ts'
import { fits } from '../../probing/index.ts'
import {
  type Member,
  type Placed,
  planRollout,
  type RolloutStep,
  standingOf,
} from '../../rollout/index.ts'
import {
  type Device,
  devices as deviceRows,
  type Model,
  models,
  orders,
  type Rollout,
  type RolloutDevice,
  rollouts,
  type StoredSelection,
  selections,
  type Variant,
  variants,
} from '../../storage/index.ts'
import { commit } from '../context/commit.ts'
import type { ConductorContext } from '../context/context.ts'
import { proberOf } from '../devices/probers.ts'
import { targetsOffered } from '../devices/targets-offered.ts'
import { activeVariant, assign, MOST_ATTEMPTS } from './assignments.ts'
import { type Hours, hoursOf, opensAt } from './hours.ts'
import { type Meant, meantBy } from './meant.ts'
import { applyRolloutEvent } from './rollout-events.ts'
import { withdrawMember } from './withdrawal.ts'

const MINUTE_MS = 60_000

interface Scene {
  readonly rollout: Rollout
  readonly model: Model
  readonly selection: StoredSelection
  readonly devices: readonly Device[]
  readonly members: readonly RolloutDevice[]
  readonly meant: Meant
  readonly hours: ReadonlyMap<string, Hours>
  readonly toldThisMinute: number
  readonly now: Date
}

/** Moves one rollout on as far as it goes without waiting. */
export async function advanceRollout(context: ConductorContext, rollout: Rollout): Promise<void> {
  const scene = await sceneOf(context, rollout)
  if (!scene) return
  await renew(context, scene)
  const steps = planRollout(viewOf(scene))
  for (const step of steps) await perform(context, scene, step)
  if (!steps.some(({ kind }) => kind === 'event')) return
  // An event opens the next wave, or closes the last: what follows from it is done at once.
  const moved = await rollouts.findRollout(context.db, rollout.id)
  if (moved) await advanceRollout(context, moved)
}

async function sceneOf(context: ConductorContext, rollout: Rollout): Promise<Scene | undefined> {
  const { db } = context
  const model = await models.modelById(db, rollout.model)
  const selection = await selections.selectionBySeq(db, rollout.selection)
  if (!model || !selection) return undefined
  const members = await rollouts.membersOf(db, rollout.id)
  const present = await deviceRows.devicesOfClass(db, rollout.class)
  const meant = await meantBy(db, rollout, present)
  const hours = rollout.options.atOnce ? new Map() : await hoursOf(db, present)
  const { rate } = rollout.options
  const aMinuteAgo = new Date(context.now().getTime() - MINUTE_MS)
  const toldThisMinute = rate ? await orders.toldSince(db, rollout.id, aMinuteAgo) : 0
  const now = context.now()
  return { rollout, model, selection, members, devices: present, meant, hours, toldThisMinute, now }
}

/** Who cannot keep a window is told nothing before it opens. */
function isHeld({ hours, now }: Scene, device: string): boolean {
  const own = hours.get(device)
  return own !== undefined && own.zone === null && opensAt(own, now) !== null
}

function viewOf(scene: Scene) {
  const { rollout, devices, members, meant, toldThisMinute } = scene
  const online = new Map(devices.map((device) => [device.id, device.online]))
  const joined = new Set(members.map(({ device }) => device))
  const subjectOf = (device: string): Pick<Placed, 'subject'> => {
    const subject = meant.subjects.get(device)
    return subject === undefined ? {} : { subject }
  }
  return {
    state: rollout.state,
    wave: rollout.wave,
    ...rollout.options,
    toldThisMinute,
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
      .map(({ id, online }) => ({
        device: id,
        online: online && !isHeld(scene, id),
        ...subjectOf(id),
      })),
  }
}

async function perform(context: ConductorContext, scene: Scene, step: RolloutStep): Promise<void> {
  if (step.kind === 'enlist') return enlist(context, scene, step.device)
  if (step.kind === 'event') {
    return applyRolloutEvent(context, scene.rollout, step.event, step.reason, 'planner')
  }
  if (step.kind === 'withdraw') return takeBack(context, scene, step)
  await noteReason(context, scene.rollout, step.reason)
}

/** Why a rollout is where it is, for who asks. */
export async function noteReason(
  context: ConductorContext,
  rollout: Rollout,
  reason: string,
): Promise<void> {
  if (rollout.reason === reason) return
  await rollouts.moveRollout(context.db, rollout.id, { ...rollout, reason }, context.now())
}

async function enlist(context: ConductorContext, scene: Scene, deviceId: string): Promise<void> {
  const device = scene.devices.find(({ id }) => id === deviceId)
  if (!device) return
  const { rollout } = scene
  const variant = await variantFor(context, scene.selection, device)
  const wave = rollout.wave
  if (!variant) {
    const member = {
      rollout: rollout.id,
      device: deviceId,
      wave,
      state: 'unfit',
      variant: null,
    } as const
    const error = 'no variant that meets the constraints fits this device'
    const unfit = { ...member, orderId: null, attempt: 0, previous: null, error }
    await commit(context, 'device.unfit', (trx) => rollouts.putMember(trx, unfit, context.now()))
    return
  }
  const active = activeVariant(device, rollout.modelName)
  const previous = active === variant.digest ? null : active
  await assign(context, {
    rollout,
    device,
    variant,
    member: { wave, state: 'ordered', attempt: 1, previous },
  })
}

/** All of a group or none: who has it already gives it back with those who could not keep it. */
async function takeBack(
  context: ConductorContext,
  { members }: Scene,
  { device, reason }: { readonly device: string; readonly reason: string },
): Promise<void> {
  const member = members.find((each) => each.device === device)
  if (!member) return
  await commit(context, 'device.released', (trx) =>
    withdrawMember(trx, member, { revert: true, reason }, context.now()),
  )
}

/** The winner, or the best of the rest where a device is too small for it or lacks its runtime. */
async function variantFor(
  context: ConductorContext,
  { selection, measured }: StoredSelection,
  device: Device,
): Promise<Variant | undefined> {
  const profile = profileOf(context.profiles, device.class)
  const offered = targetsOffered(device.runtimes, profile)
  for (const key of selection.ranking) {
    const variant = await variants.findVariant(context.db, key)
    const needs = measured.find((row) => row.key === key)
    const fitsHere =
      variant?.digest &&
      fits(proberOf(device, 0), variant.bytes ?? 0) &&
      (needs?.memoryBytes ?? 0) <= (device.memoryLimitBytes ?? Infinity) &&
      offered.includes(variant.runtime)
    if (fitsHere) return variant
  }
  return undefined
}

/** Assignments that ran out before they arrived, and variants a device no longer has, are given again. */
async function renew(context: ConductorContext, scene: Scene): Promise<void> {
  if (scene.rollout.state !== 'running' && scene.rollout.state !== 'done') return
  for (const member of scene.members) {
    const device = scene.devices.find(({ id }) => id === member.device)
    if (!device?.online || !member.variant) continue
    if (!(await needsAnother(context, scene, member, device))) continue
    await again(context, scene, member, device)
  }
}

async function needsAnother(
  context: ConductorContext,
  { rollout }: Scene,
  member: RolloutDevice,
  device: Device,
): Promise<boolean> {
  if (standingOf(member.state) === 'under-way') {
    const order = member.orderId ? await orders.findOrder(context.db, member.orderId) : undefined
    return order?.expiresAt !== null && new Date(order?.expiresAt ?? 0) <= context.now()
  }
  if (member.state !== 'active') return false
  const variant = member.variant && (await variants.findVariant(context.db, member.variant))
  return (
    variant !== undefined &&
    variant !== '' &&
    variant?.digest !== activeVariant(device, rollout.modelName)
  )
}

async function again(
  context: ConductorContext,
  { rollout }: Scene,
  member: RolloutDevice,
  device: Device,
): Promise<void> {
  if (member.attempt >= MOST_ATTEMPTS) {
    const error = `given up after ${member.attempt} attempts: the device does not keep the variant`
    await commit(context, 'device.failed', (trx) =>
      rollouts.setMemberState(trx, member, { state: 'failed', error }, context.now()),
    )
    return
  }
  const variant = await variants.findVariant(context.db, member.variant ?? '')
  if (!variant) return
  const { wave, previous } = member
  const place = { wave, previous, state: 'ordered', attempt: member.attempt + 1 } as const
  await assign(context, { rollout, device, variant, member: place })
}
