import {
  type Bucket,
  type Population,
  planRollout,
  populationAmong,
  populationOf,
  type RolloutStep,
  type RolloutView,
  standingOf,
} from '../../rollout/index.ts'
import {
  type Device,
  devices as deviceRows,
  memberships,
  models,
  type Rollout,
  rollouts,
  selections,
  tallies,
} from '../../storage/index.ts'
import { commit } from '../context/commit.ts'
import type { ConductorContext } from '../context/context.ts'
import { watchRollout } from '../health/watch-rollout.ts'
import { activeVariant, assignAll } from './assignments.ts'
import { rollOf } from './roll.ts'
import { applyRolloutEvent } from './rollout-events.ts'
import { type RankedVariant, rankedVariants, variantFor } from './variant-choice.ts'
import { withdrawMember } from './withdrawal.ts'

/** Devices that join in one commit: what a wave holds in memory at a time. */
const PAGE = 200
/** Names in what people are told. */
const NAMED = 3

/**
 * Moves one rollout on as far as it goes without waiting. It is told how many devices stand where, not which: a rollout to
 * ten thousand costs a look as much as one to ten.
 */
export async function advanceRollout(context: ConductorContext, id: string): Promise<void> {
  for (;;) {
    const rollout = await rollouts.findRollout(context.db, id)
    if (!rollout) return
    const steps = planRollout(await viewOf(context, rollout))
    let moved = false
    for (const step of steps) if (await perform(context, rollout, step)) moved = true
    if (!moved) return
  }
}

/** Whether there is more to do at once: an event opens the next wave, or closes the last. */
async function perform(
  context: ConductorContext,
  rollout: Rollout,
  step: RolloutStep,
): Promise<boolean> {
  switch (step.kind) {
    case 'wait': {
      const reason = step.present > 0 ? await underWay(context, rollout, step) : step.reason
      await noteReason(context, rollout, reason)
      return false
    }
    case 'enlist':
      return await enlist(context, rollout, step)
    case 'withdraw':
      return await takeBack(context, rollout, step)
    case 'event':
      await applyRolloutEvent(context, rollout, step.event, step.reason, 'planner')
      return true
  }
}

async function viewOf(context: ConductorContext, rollout: Rollout): Promise<RolloutView> {
  const { state, wave, options } = rollout
  const roll = await rollOf(context, rollout)
  const population = roll
    ? populationAmong(roll.members, roll.outside)
    : await populationCounted(context, rollout)
  const { waves, gate, approval } = options
  const watch = await watched(context, rollout)
  return { state, wave, waves, gate, approval, population, watch, roll }
}

async function populationCounted({ db }: ConductorContext, rollout: Rollout): Promise<Population> {
  const members = await tallies.memberTallies(db, rollout.id)
  const ofClass = await tallies.classTally(db, rollout.class)
  const joined = (presence: 'online' | 'offline') =>
    members.reduce((n, one) => n + (one.presence === presence ? one.devices : 0), 0)
  const buckets: readonly Bucket[] = members.map(({ presence, ...one }) => ({
    ...one,
    online: presence === 'online',
  }))
  return populationOf(buckets, {
    online: Math.max(0, ofClass.online - joined('online')),
    offline: Math.max(0, ofClass.offline - joined('offline')),
  })
}

/** Nobody is read one by one where nobody watches. */
async function watched(context: ConductorContext, rollout: Rollout) {
  if (!rollout.options.health) return null
  const members = await rollouts.membersOf(context.db, rollout.id)
  const present = await deviceRows.devicesOfClass(context.db, rollout.class)
  return await watchRollout(context, rollout, members, present)
}

/** For people: who is on the way, as far as a few names say it. */
async function underWay(
  { db }: ConductorContext,
  { id }: Rollout,
  { present, reason }: { readonly present: number; readonly reason: string },
): Promise<string> {
  if (present > NAMED) return reason
  const moving = ['ordered', 'accepted', 'downloading', 'verified', 'installed']
  const members = await memberships.someInStates(db, id, moving, 4 * NAMED)
  const names = members.map(({ device }) => device).slice(0, NAMED)
  return members.length > present || names.length === 0
    ? reason
    : `${names.join(', ')}: ${members[0]?.state}`
}

/** Why a rollout is where it is, for who asks. */
export async function noteReason(
  context: ConductorContext,
  rollout: Rollout,
  reason: string,
): Promise<void> {
  if (rollout.reason === reason) return
  await rollouts.sayWhy(context.db, rollout, reason, context.now())
  context.agenda.pipeline(rollout)
}

/** Whether anybody joined: page by page, so that reports of the first need not wait for the last. */
async function enlist(
  context: ConductorContext,
  rollout: Rollout,
  { most, devices }: { readonly most: number; readonly devices?: readonly string[] },
): Promise<boolean> {
  const { db } = context
  const model = await models.modelById(db, rollout.model)
  const selection = await selections.selectionBySeq(db, rollout.selection)
  if (!model || !selection) return false
  const ranked = await rankedVariants(db, selection)
  if (devices) return await enlistThese(context, rollout, ranked, devices)
  let joined = 0
  let after = ''
  while (joined < most && !context.stopping.aborted) {
    const page = await deviceRows.onlineOutside(db, rollout, after, Math.min(PAGE, most - joined))
    const last = page.at(-1)
    if (!last) break
    after = last.id
    const added = await enlistPage(context, rollout, ranked, page)
    // Not released, or stopped meanwhile: the others would fare no better.
    if (added === 0) break
    joined += added
    await context.meanwhile()
  }
  return joined > 0
}

async function enlistThese(
  context: ConductorContext,
  rollout: Rollout,
  ranked: readonly RankedVariant[],
  ids: readonly string[],
): Promise<boolean> {
  let joined = 0
  for (let from = 0; from < ids.length && !context.stopping.aborted; from += PAGE) {
    const page = await deviceRows.findDevices(context.db, ids.slice(from, from + PAGE))
    const added = await enlistPage(context, rollout, ranked, [...page.values()])
    if (added === 0) break
    joined += added
    await context.meanwhile()
  }
  return joined > 0
}

async function enlistPage(
  context: ConductorContext,
  rollout: Rollout,
  ranked: readonly RankedVariant[],
  page: readonly Device[],
): Promise<number> {
  const choices = page.map((device) => ({
    device,
    variant: variantFor(ranked, device, context.profiles),
  }))
  const unfit = choices.filter(({ variant }) => !variant).map(({ device }) => device)
  if (unfit.length > 0) await markUnfit(context, rollout, unfit)
  const given = await assignAll(
    context,
    rollout,
    choices.flatMap(({ device, variant }) => {
      if (!variant) return []
      const active = activeVariant(device, rollout.modelName)
      const previous = active === variant.digest ? null : active
      return [
        { device, variant, member: { wave: rollout.wave, state: 'ordered', attempt: 1, previous } },
      ]
    }),
  )
  return given.length + unfit.length
}

async function markUnfit(
  context: ConductorContext,
  rollout: Rollout,
  unfit: readonly Device[],
): Promise<void> {
  const at = context.now()
  const error = 'no variant that meets the constraints fits this device'
  await commit(context, 'device.unfit', async (trx) => {
    for (const { id: device } of unfit) {
      const place = { rollout: rollout.id, device, wave: rollout.wave, state: 'unfit' } as const
      const nothing = { variant: null, orderId: null, attempt: 0, previous: null }
      await rollouts.putMember(trx, { ...place, ...nothing, error }, at)
    }
  })
}

/** Members that count at a gate, and will not move by themselves. */
export function isUnderWay(state: Parameters<typeof standingOf>[0]): boolean {
  return standingOf(state) === 'under-way'
}

/** All of a group or none: who has it already gives it back with those who could not keep it. */
async function takeBack(
  context: ConductorContext,
  rollout: Rollout,
  { device, reason }: { readonly device: string; readonly reason: string },
): Promise<boolean> {
  const members = await rollouts.membershipsOf(context.db, device, rollout.modelName)
  const member = members.find((each) => each.rollout === rollout.id)
  if (!member) return false
  await commit(context, 'device.released', (trx) =>
    withdrawMember(trx, member, { revert: true, reason }, context.now()),
  )
  context.agenda.returns()
  return true
}
