import { standingOf } from '../../rollout/index.ts'
import {
  type Db,
  devices as deviceRows,
  orders,
  type Rollout,
  type RolloutDevice,
  rollouts,
  variants,
} from '../../storage/index.ts'
import { commit } from '../context/commit.ts'
import type { ConductorContext } from '../context/context.ts'
import { assign, MOST_ATTEMPTS } from './assignments.ts'

/**
 * Nothing more is sent; where the operator asked for it, devices are to get back what they ran before. Only
 * written down, with the abort itself: `sendBack` gives the orders, by this planner or the next.
 */
export async function withdraw(trx: Db, rollout: Rollout, at: Date): Promise<void> {
  for (const member of await rollouts.membersOf(trx, rollout.id)) {
    const { revert } = rollout.options
    await withdrawMember(trx, member, { revert, reason: 'the rollout was aborted' }, at)
  }
}

/** One device of it; where it is not to go back it keeps what it has. */
export async function withdrawMember(
  trx: Db,
  member: RolloutDevice,
  { revert, reason }: { readonly revert: boolean; readonly reason: string },
  at: Date,
): Promise<void> {
  const standing = standingOf(member.state)
  const goesBack = revert && member.previous !== null
  if (standing !== 'under-way' && !(standing === 'active' && goesBack)) return
  if (member.orderId) await orders.closeOrder(trx, member.orderId)
  const { error: _, ...place } = member
  if (goesBack) await rollouts.putMember(trx, { ...place, ...GOING_BACK, error: reason }, at)
  else await rollouts.setMemberState(trx, member, { state: 'released', error: reason }, at)
}

/** Without an order yet; `previous` says which variant. */
const GOING_BACK = { state: 'reverting', orderId: null, attempt: 0 } as const

/**
 * A device that went back and, by its own word, runs something else has lost what it got: it gets it once
 * more. Only written down, as above.
 */
export async function noteLost(
  trx: Db,
  device: string,
  model: string,
  active: string | null,
  at: Date,
): Promise<void> {
  const member = await rollouts.lastMemberOf(trx, device, model)
  if (member?.state !== 'reverted' || member.attempt >= MOST_ATTEMPTS) return
  const variant = await variants.findVariant(trx, member.variant ?? '')
  if (!variant?.digest || variant.digest === active) return
  const { error: _, ...place } = member
  const again = { state: 'reverting', orderId: null, previous: variant.digest } as const
  await rollouts.putMember(trx, { ...place, ...again }, at)
}

/** Gives the orders that withdrawn devices wait for. */
export async function sendBack(context: ConductorContext): Promise<void> {
  for (const member of await rollouts.goingBack(context.db)) await sendOneBack(context, member)
}

async function sendOneBack(context: ConductorContext, member: RolloutDevice): Promise<void> {
  const { db } = context
  const rollout = await rollouts.findRollout(db, member.rollout)
  const variant = await variants.variantByDigest(db, member.previous ?? '')
  const device = await deviceRows.findDevice(db, member.device)
  if (rollout && variant && device) {
    const { wave, attempt } = member
    const place = { wave, state: 'reverting', attempt: attempt + 1, previous: null } as const
    if (await assign(context, { rollout, device, variant, member: place })) return
  }
  const error = 'what it ran before is not known, or not released'
  await commit(context, 'device.released', (trx) =>
    rollouts.setMemberState(trx, member, { state: 'released', error }, context.now()),
  )
}
