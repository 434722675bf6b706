import { type MemberState, OPEN_STATES } from '../rollout/index.ts'
import { openMemberships } from './memberships.ts'
import { setMemberState } from './rollouts.ts'
import type { Db } from './tables.ts'

/** In which a device has what its rollout gave it, or will. */
const HELD_STATES: readonly MemberState[] = [
  'ordered',
  'accepted',
  'downloading',
  'verified',
  'installed',
  'active',
]

/** Devices that one rollout takes are no other's any more: two would give them their variants in turns. */
export async function takeOver(
  db: Db,
  rollout: string,
  devices: readonly string[],
  modelName: string,
): Promise<void> {
  const others = db
    .selectFrom('rollouts')
    .select('id')
    .where('model_name', '=', modelName)
    .where('id', '!=', rollout)
    .where('state', 'in', [...OPEN_STATES])
  await db
    .updateTable('rollout_devices')
    .set({ state: 'released', error: 'another rollout took it' })
    .where('device', 'in', [...devices])
    .where('state', 'in', [...HELD_STATES])
    .where('rollout', 'in', others)
    .execute()
}

/** The device leaves every open rollout; its orders are closed. Answers what it leaves. */
export async function releaseMember(
  db: Db,
  device: string,
  error: string,
  at: Date,
): Promise<void> {
  for (const member of await openMemberships(db, [device])) {
    await setMemberState(db, member, { state: 'released', error }, at)
  }
  await db
    .updateTable('orders')
    .set({ state: 'closed' })
    .where('device', '=', device)
    .where('state', '!=', 'closed')
    .execute()
}

/** No rollout of the name is open any more, and nothing of it is sent. */
export async function endAll(db: Db, modelName: string, reason: string, at: Date): Promise<void> {
  const ofModel = db.selectFrom('rollouts').select('id').where('model_name', '=', modelName)
  const told = db
    .selectFrom('rollout_devices')
    .select('order_id')
    .where('rollout', 'in', ofModel)
    .where('order_id', 'is not', null)
  await db.updateTable('orders').set({ state: 'closed' }).where('id', 'in', told).execute()
  await db
    .updateTable('rollouts')
    .set({ state: 'superseded', reason, updated_at: at.toISOString() })
    .where('model_name', '=', modelName)
    .where('state', '!=', 'superseded')
    .execute()
  await db
    .updateTable('rollout_devices')
    .set({ state: 'released', error: reason })
    .where('state', '=', 'reverting')
    .where('order_id', 'is', null)
    .where('rollout', 'in', ofModel)
    .execute()
}

/** As if it had never been of any open rollout: they may take it anew. */
export async function forgetMember(db: Db, device: string): Promise<void> {
  const open = db
    .selectFrom('rollouts')
    .select('id')
    .where('state', 'in', [...OPEN_STATES])
  await db
    .deleteFrom('rollout_devices')
    .where('device', '=', device)
    .where('rollout', 'in', open)
    .execute()
}
