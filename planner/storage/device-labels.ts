import type { DeviceId } from '../../shared/ids.ts'
import type { Labels } from '../../shared/labels.ts'
import type { Born } from './born.ts'
import { isAmong } from './few-texts.ts'
import type { Db } from './tables.ts'

/** Whose word a label is. */
export type LabelOrigin = 'operator' | 'device'

export interface DeviceLabels {
  /** What counts: the operator's word before the device's own. */
  readonly labels: Labels
  /** What the device's settings say otherwise, and nobody heeds. */
  readonly overruled: Labels
}

const NONE: DeviceLabels = { labels: {}, overruled: {} }

/** All that their settings say: what was said before and is not now is gone. Most say what they said. */
export async function recordLabelsOf(db: Db, births: readonly Born[]): Promise<void> {
  if (births.length === 0) return
  const rows = await db
    .selectFrom('device_labels')
    .select(['device', 'key', 'value'])
    .where(
      isAmong(
        db,
        'device',
        births.map(({ device }) => device),
      ),
    )
    .where('origin', '=', 'device')
    .execute()
  const known = new Map<DeviceId, Record<string, string>>()
  for (const { device, key, value } of rows) {
    known.set(device, { ...known.get(device), [key]: value })
  }
  for (const { device, birth } of births) {
    const labels = birth.labels ?? {}
    const before = known.get(device) ?? {}
    if (JSON.stringify(sorted(before)) === JSON.stringify(sorted(labels))) continue
    await putDeviceLabels(db, device, labels)
  }
}

async function putDeviceLabels(db: Db, device: DeviceId, labels: Labels): Promise<void> {
  await db
    .deleteFrom('device_labels')
    .where('device', '=', device)
    .where('origin', '=', 'device')
    .execute()
  for (const [key, value] of Object.entries(labels)) await put(db, device, { key, value }, 'device')
}

/** The operator's word; null takes it back. Answers what was there before of these keys. */
export async function putLabelsOf(
  db: Db,
  device: DeviceId,
  changes: Readonly<Record<string, string | null>>,
): Promise<Labels> {
  const before = await originLabels(db, device, 'operator')
  for (const [key, value] of Object.entries(changes)) {
    await db
      .deleteFrom('device_labels')
      .where('device', '=', device)
      .where('key', '=', key)
      .where('origin', '=', 'operator')
      .execute()
    if (value !== null) await put(db, device, { key, value }, 'operator')
  }
  return Object.fromEntries(Object.entries(before).filter(([key]) => key in changes))
}

export async function deviceLabelsOf(db: Db, device: DeviceId): Promise<DeviceLabels> {
  return (await deviceLabels(db, [device])).get(device) ?? NONE
}

/** Of these devices those that have labels; of all where none are named. */
export async function deviceLabels(
  db: Db,
  devices?: readonly DeviceId[],
): Promise<ReadonlyMap<DeviceId, DeviceLabels>> {
  const all = db.selectFrom('device_labels').selectAll()
  const rows = await (devices?.length === 1
    ? all.where('device', '=', devices[0] ?? '')
    : all
  ).execute()
  const found = new Map<
    DeviceId,
    { labels: Record<string, string>; overruled: Record<string, string> }
  >()
  const isOperators = (row: { origin: string }) => row.origin === 'operator'
  for (const row of rows.sort((a, b) => Number(isOperators(b)) - Number(isOperators(a)))) {
    const one = found.get(row.device) ?? { labels: {}, overruled: {} }
    found.set(row.device, one)
    const said = Object.hasOwn(one.labels, row.key) ? one.labels[row.key] : undefined
    if (said === undefined) one.labels[row.key] = row.value
    else if (said !== row.value) one.overruled[row.key] = row.value
  }
  return found
}

export async function forgetLabelsOf(db: Db, device: DeviceId): Promise<void> {
  await db.deleteFrom('device_labels').where('device', '=', device).execute()
}

async function originLabels(db: Db, device: DeviceId, origin: LabelOrigin): Promise<Labels> {
  const rows = await db
    .selectFrom('device_labels')
    .select(['key', 'value'])
    .where('device', '=', device)
    .where('origin', '=', origin)
    .execute()
  return Object.fromEntries(rows.map(({ key, value }) => [key, value]))
}

async function put(
  db: Db,
  device: DeviceId,
  label: { readonly key: string; readonly value: string },
  origin: LabelOrigin,
): Promise<void> {
  await db
    .insertInto('device_labels')
    .values({ device, origin, ...label })
    .execute()
}

function sorted(labels: Labels) {
  return Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))
}
