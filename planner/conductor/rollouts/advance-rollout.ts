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
  const present = await deviceRows.presenceOfClass(context.db, rollout.class)
  const inService = new Set(present.map(({ id }) => id))
  return await watchRollout(context, rollout, members, inService)
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
  const pages = devices ? byName(context, devices) : byNumber(context, rollout)
  let joined = 0
  while (joined < most && !context.stopping.aborted) {
    const page = await pages(Math.min(PAGE, most - joined))
    // Where none joins they are not released, or were stopped meanwhile: the others would fare no better.
    const added = page.length > 0 ? await enlistPage(context, rollout, ranked, page) : 0
    if (added === 0) break
    joined += added
    await context.meanwhile()
  }
  return joined > 0
}

/** Gives the next devices to join, so many at most; none once there are no more. */
type Pages = (most: number) => Promise<readonly Device[]>

function byNumber({ db }: ConductorContext, rollout: Rollout): Pages {
  let after = ''
  return async (most) => {
    const page = await deviceRows.onlineOfClass(db, rollout.class, after, most, rollout.id)
    after = page.at(-1)?.id ?? after
    return page
  }
}

function byName({ db }: ConductorContext, ids: readonly string[]): Pages {
  const left = [...ids]
  return async (most) => [...(await deviceRows.findDevices(db, left.splice(0, most))).values()]
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
  const members = unfit.map(({ id: device }) => ({
    ...({ rollout: rollout.id, device, wave: rollout.wave, state: 'unfit' } as const),
    ...{ variant: null, orderId: null, attempt: 0, previous: null, error },
  }))
  await commit(context, 'device.unfit', (trx) => memberships.putMembers(trx, members, at))
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
