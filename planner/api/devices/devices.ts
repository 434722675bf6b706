import type { Labels } from '../../../shared/labels.ts'
import {
  audit,
  deviceLabels,
  devices as deviceRows,
  leaving,
  retirements,
} from '../../storage/index.ts'
import { type Call, deviceNamed } from '../call/call.ts'
import type { OperationInput, OperationOutput } from '../contract/contract.ts'
import { ApiError } from '../contract/errors.ts'
import { deviceViews, selected } from './read-devices.ts'

/** The operator's word on these devices; null takes a label away. What they are members of follows by itself. */
export async function labelDevices(
  { devices: named, where, labels }: OperationInput<'devices.label'>,
  { context, conductor, actor }: Call,
): Promise<OperationOutput<'devices.label'>> {
  const { db } = context
  const meant =
    where === undefined
      ? await Promise.all(named.map((id) => deviceNamed(context, id)))
      : await selected(db, await deviceRows.listDevices(db), where)
  await db.transaction().execute(async (trx) => {
    for (const { id } of meant) {
      const before: Labels = await deviceLabels.putLabelsOf(trx, id, labels)
      const detail = { labels, before }
      const entry = { actor, action: 'devices.label', subject: id, detail }
      await audit.writeAudit(trx, entry, context.now())
    }
  })
  conductor.poke()
  const inService = (await deviceRows.listDevices(db)).length
  const changed = await deviceViews(
    db,
    await Promise.all(meant.map(({ id }) => deviceNamed(context, id))),
    context.now(),
  )
  return { devices: changed, of: inService }
}

/** Out of service, or back: it is in no count, no rollout and no measurement. Its certificate stays. */
export async function retireDevice(
  { device: id, reason, undo }: OperationInput<'devices.retire'>,
  { context, conductor, actor }: Call,
): Promise<OperationOutput<'devices.retire'>> {
  const { db } = context
  const device = await deviceNamed(context, id)
  const at = context.now()
  const isNews = await db.transaction().execute(async (trx) => {
    const isRetired = (await retirements.retirements(trx)).has(id)
    if (isRetired !== undo) return false
    if (undo) {
      await retirements.reinstate(trx, id)
      await leaving.forgetMember(trx, id)
    } else {
      await retirements.retire(trx, id, { by: actor, reason }, at)
      await leaving.releaseMember(trx, id, 'the device was retired', at)
    }
    const action = undo ? 'devices.reinstate' : 'devices.retire'
    await audit.writeAudit(trx, { actor, action, subject: id, detail: { reason } }, at)
    return true
  })
  conductor.poke()
  return { device: device.id, changed: isNews }
}

/** Certificates, labels and record: only the audit knows it still. @throws ApiError `device-online` */
export async function removeDevice(
  { device: id, reason }: OperationInput<'devices.remove'>,
  { context, conductor, identity, actor }: Call,
): Promise<OperationOutput<'devices.remove'>> {
  const { db } = context
  const device = await deviceNamed(context, id)
  if (device.online && identity === undefined) {
    throw new ApiError(
      'device-online',
      `${id} is online, and a broker without certificates lets it in again: stop its agent first`,
    )
  }
  const taken = (await identity?.revocations.revokeDevice(id, actor, reason)) ?? {
    certificates: 0,
    tokens: 0,
  }
  const at = context.now()
  await db.transaction().execute(async (trx) => {
    await leaving.releaseMember(trx, id, 'the device was removed', at)
    await leaving.forgetMember(trx, id)
    await retirements.forgetDevice(trx, id)
    const detail = { reason, class: device.class, firstSeen: device.firstSeen, ...taken }
    await audit.writeAudit(trx, { actor, action: 'devices.remove', subject: id, detail }, at)
  })
  conductor.poke()
  return { device: id, ...taken }
}
