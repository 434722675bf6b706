import { standingOf } from '../rollout/index.ts'
import {
  type Db,
  devices as deviceRows,
  orders,
  type Rollout,
  type RolloutDevice,
  rollouts,
  variants,
} from '../storage/index.ts'
import { assign } from './assignments.ts'
import { commit } from './commit.ts'
import type { Engine } from './engine.ts'

/**
 * Nothing more is sent; where the operator asked for it, devices are to get back what they ran before. Only
 * written down, with the abort itself: `sendBack` gives the orders, by this planner or the next.
 */
export async function withdraw(trx: Db, rollout: Rollout, at: Date): Promise<void> {
  for (const member of await rollouts.membersOf(trx, rollout.id)) {
    const standing = standingOf(member.state)
    const goesBack = rollout.options.revert && member.previous !== null
    if (standing !== 'under-way' && !(standing === 'active' && goesBack)) continue
    if (member.orderId) await orders.closeOrder(trx, member.orderId)
    const { error: _, ...place } = member
    if (goesBack) await rollouts.putMember(trx, { ...place, ...GOING_BACK }, at)
    else await rollouts.setMemberState(trx, member, RELEASED, at)
  }
}

/** Without an order yet; `previous` says which variant. */
const GOING_BACK = { state: 'reverting', orderId: null, attempt: 0 } as const
const RELEASED = { state: 'released', error: 'the rollout was aborted' } as const

/** Gives the orders that withdrawn devices wait for. */
export async function sendBack(engine: Engine): Promise<void> {
  for (const member of await rollouts.goingBack(engine.db)) await sendOneBack(engine, member)
}

async function sendOneBack(engine: Engine, member: RolloutDevice): Promise<void> {
  const { db } = engine
  const rollout = await rollouts.findRollout(db, member.rollout)
  const variant = await variants.variantByDigest(db, member.previous ?? '')
  const device = await deviceRows.findDevice(db, member.device)
  if (rollout && variant && device) {
    const place = { wave: member.wave, state: 'reverting', attempt: 1, previous: null } as const
    if (await assign(engine, { rollout, device, variant, member: place })) return
  }
  const error = 'what it ran before is not known, or not released'
  await commit(engine, 'device.released', (trx) =>
    rollouts.setMemberState(trx, member, { state: 'released', error }, engine.now()),
  )
}
