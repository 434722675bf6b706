import type { DeviceId } from '../../shared/ids.ts'
import type { Birth } from '../../shared/messages/index.ts'
import { isAmong, rowsInto } from './few-texts.ts'
import type { Db, Tables } from './tables.ts'

/** What a device holds. */
export interface Held {
  readonly device: DeviceId
  readonly slots: Birth['slots']
}

type Row = Tables['device_slots']

const putAdded = rowsInto('device_slots', ['device', 'model_name', 'variant', 'active'])

/** What a device holds, row by row, so that lists can be asked for it; `devices.slots` is the truth. */
export async function putSlots(db: Db, device: DeviceId, slots: Birth['slots']): Promise<void> {
  await putSlotsOf(db, [{ device, slots }])
}

/** The same of many devices, each once; most hold what they held. */
export async function putSlotsOf(db: Db, all: readonly Held[]): Promise<void> {
  if (all.length === 0) return
  const devices = all.map(({ device }) => device)
  const rows = await db
    .selectFrom('device_slots')
    .select(['device', 'model_name', 'variant', 'active'])
    .where(isAmong(db, 'device', devices))
    .execute()
  const known = new Map<DeviceId, (typeof rows)[number][]>()
  for (const row of rows) known.set(row.device, [...(known.get(row.device) ?? []), row])
  const changed = all.filter(({ device, slots }) => !isSame(known.get(device) ?? [], slots))
  if (changed.length === 0) return
  const names = changed.map(({ device }) => device)
  await db
    .deleteFrom('device_slots')
    .where(isAmong(db, 'device', names))
    .execute()
  const added = changed.flatMap(({ device, slots }) =>
    [...rowsOf(slots).values()].map((row) => ({ device, ...row })),
  )
  await putAdded(db, added)
}

function rowsOf(slots: Birth['slots']) {
  return new Map(
    slots.map(({ model, variant, active }) => {
      const row = { model_name: model, variant, active: active ? 1 : 0 }
      return [`${model} ${variant}`, row]
    }),
  )
}

function isSame(
  known: readonly Pick<Row, 'model_name' | 'variant' | 'active'>[],
  slots: Birth['slots'],
): boolean {
  const wanted = rowsOf(slots)
  const isThere = ({ model_name, variant, active }: (typeof known)[number]) =>
    wanted.get(`${model_name} ${variant}`)?.active === active
  return known.length === wanted.size && known.every(isThere)
}
