import { standingOf } from '../../rollout/index.ts'
import {
  type Db,
  devices as deviceRows,
  memberships,
  orders,
  type Rollout,
  type RolloutDevice,
  rollouts,
  variants,
} from '../../storage/index.ts'
import { commit } from '../context/commit.ts'
import type { ConductorContext } from '../context/context.ts'
import { assignAll, MOST_ATTEMPTS, type NewAssignment } from './assignments.ts'

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
  if (goesBack) await memberships.putMembers(trx, [{ ...place, ...GOING_BACK, error: reason }], at)
  else await rollouts.setMemberState(trx, member, { state: 'released', error: reason }, at)
}

/** Without an order yet; `previous` says which variant. */
const GOING_BACK = { state: 'reverting', orderId: null, attempt: 0 } as const

/**
 * A device that went back and, by its own word, runs something else has lost what it got: it gets it once
 * more. Only written down, as above; true where it was.
 */
export async function noteLost(
  trx: Db,
  device: string,
  model: string,
  active: string | null,
  at: Date,
): Promise<boolean> {
  const member = await rollouts.lastMemberOf(trx, device, model)
  if (member?.state !== 'reverted' || member.attempt >= MOST_ATTEMPTS) return false
  const variant = await variants.findVariant(trx, member.variant ?? '')
  if (!variant?.digest || variant.digest === active) return false
  const { error: _, ...place } = member
  const again = { state: 'reverting', orderId: null, previous: variant.digest } as const
  await memberships.putMembers(trx, [{ ...place, ...again }], at)
  return true
}

/** Devices that go back in one commit. */
const PAGE = 200

/** Gives the orders that withdrawn devices wait for, page by page. */
export async function sendBack(context: ConductorContext): Promise<void> {
  while (!context.stopping.aborted) {
    const page = await rollouts.goingBack(context.db, PAGE)
    for (const id of new Set(page.map((member) => member.rollout))) {
      await sendAllBack(
        context,
        id,
        page.filter((member) => member.rollout === id),
      )
    }
    if (page.length < PAGE) return
    await context.meanwhile()
  }
}

/** Every member has an order afterwards, or is released: the next page is another one. */
async function sendAllBack(
  context: ConductorContext,
  id: string,
  members: readonly RolloutDevice[],
): Promise<void> {
  const { db } = context
  const rollout = await rollouts.findRollout(db, id)
  const devices = await deviceRows.findDevices(
    db,
    members.map(({ device }) => device),
  )
  const given: NewAssignment[] = []
  for (const { device: name, previous, wave, attempt } of members) {
    const variant = await variants.variantByDigest(db, previous ?? '')
    const device = devices.get(name)
    if (!variant || !device) continue
    const member = { wave, state: 'reverting', attempt: attempt + 1, previous: null } as const
    given.push({ device, variant, member })
  }
  const served = new Set(rollout ? await assignAll(context, rollout, given) : [])
  const left = members.filter(({ device }) => !served.has(device))
  if (left.length === 0) return
  const error = 'what it ran before is not known, or not released'
  await commit(context, 'device.released', async (trx) => {
    for (const member of left) {
      await rollouts.setMemberState(trx, member, { state: 'released', error }, context.now())
    }
  })
}
