import type { DeviceId } from '../../shared/ids.ts'
import type { Birth } from '../../shared/messages/index.ts'
import type { Db } from './tables.ts'

/** What a device holds, row by row, so that lists can be asked for it; `devices.slots` is the truth. */
export async function putSlots(db: Db, device: DeviceId, slots: Birth['slots']): Promise<void> {
  const known = await db
    .selectFrom('device_slots')
    .select(['model_name', 'variant', 'active'])
    .where('device', '=', device)
    .execute()
  const wanted = new Map(
    slots.map(({ model, variant, active }) => {
      const row = { model_name: model, variant, active: active ? 1 : 0 }
      return [`${model} ${variant}`, row]
    }),
  )
  const isSame = ({ model_name, variant, active }: (typeof known)[number]) =>
    wanted.get(`${model_name} ${variant}`)?.active === active
  if (known.length === wanted.size && known.every(isSame)) return
  await db.deleteFrom('device_slots').where('device', '=', device).execute()
  const rows = [...wanted.values()].map((row) => ({ device, ...row }))
  if (rows.length > 0) await db.insertInto('device_slots').values(rows).execute()
}
