import type { Digest } from '../../shared/digest.ts'
import type { DeviceId } from '../../shared/ids.ts'
import { wordOr } from '../../shared/open-words.ts'
import { type RuntimeManifest, runtimeManifestSchema } from '../../shared/runtime-package/index.ts'
import type { Born } from './born.ts'
import { isAmong, rowsInto } from './few-texts.ts'
import { readKnown } from './json.ts'
import type { Db, Tables } from './tables.ts'

export interface RuntimePackage {
  readonly digest: Digest
  /** Under which it is released: `runtime.tflite`. */
  readonly name: string
  readonly bytes: number
  readonly manifest: RuntimeManifest
  readonly addedBy: string
  readonly addedAt: string
}

/** `failed`: not given again, until a newer package comes. */
export const OFFER_STATES = ['ordered', 'active', 'failed'] as const
export type OfferState = (typeof OFFER_STATES)[number]
const offerStateSchema = wordOr(OFFER_STATES, 'ordered')

export interface RuntimeOffer {
  readonly device: DeviceId
  readonly name: string
  readonly package: Digest
  readonly orderId: string
  readonly state: OfferState
  /** Of this package on this device, from 1. */
  readonly attempt: number
  readonly error: string | null
}

/** Becomes the newest of its runtime and architecture. Call inside the transaction that decides it. */
export async function addPackage(
  db: Db,
  { digest, name, bytes, manifest, addedBy }: Omit<RuntimePackage, 'addedAt'>,
  at: Date,
): Promise<void> {
  await db
    .insertInto('runtime_packages')
    .values({
      digest,
      name,
      architecture: manifest.architecture,
      bytes,
      manifest: JSON.stringify(manifest),
      added_by: addedBy,
      added_at: at.toISOString(),
    })
    .execute()
}

export async function removePackage(db: Db, digest: Digest): Promise<void> {
  await db.deleteFrom('runtime_packages').where('digest', '=', digest).execute()
}

/** The newest first. */
export async function listPackages(db: Db): Promise<readonly RuntimePackage[]> {
  const rows = await db.selectFrom('runtime_packages').selectAll().orderBy('seq', 'desc').execute()
  return rows.flatMap(packageOf)
}

/** The newest of each runtime and architecture. */
export function newestOf(packages: readonly RuntimePackage[]): readonly RuntimePackage[] {
  const newest = new Map<string, RuntimePackage>()
  for (const each of packages) {
    const place = `${each.name} ${each.manifest.architecture}`
    if (!newest.has(place)) newest.set(place, each)
  }
  return [...newest.values()]
}

const putTakers = rowsInto('runtime_takers', ['device'], { key: ['device'], changes: [] })

export async function recordTakers(db: Db, births: readonly Born[]): Promise<void> {
  const takes = ({ birth }: Born) => birth.acceptsRuntimes === true
  const others = births.filter((born) => !takes(born)).map(({ device }) => device)
  if (others.length > 0) {
    await db
      .deleteFrom('runtime_takers')
      .where(isAmong(db, 'device', others))
      .execute()
  }
  await putTakers(
    db,
    births.filter(takes).map(({ device }) => ({ device })),
  )
}

export async function takers(db: Db): Promise<ReadonlySet<DeviceId>> {
  const rows = await db.selectFrom('runtime_takers').select('device').execute()
  return new Set(rows.map(({ device }) => device))
}

export async function putOffer(db: Db, offer: RuntimeOffer, at: Date): Promise<void> {
  const { device, name, orderId, ...rest } = offer
  const row = { ...rest, order_id: orderId, updated_at: at.toISOString() }
  await db
    .insertInto('runtime_offers')
    .values({ device, name, ...row })
    .onConflict((conflict) => conflict.columns(['device', 'name']).doUpdateSet(row))
    .execute()
}

/** Should the package come again, it is new to every device. */
export async function forgetOffers(db: Db, digest: Digest): Promise<void> {
  await db.deleteFrom('runtime_offers').where('package', '=', digest).execute()
}

export async function findOffer(
  db: Db,
  device: DeviceId,
  name: string,
): Promise<RuntimeOffer | undefined> {
  const row = await offerRows(db)
    .where('device', '=', device)
    .where('name', '=', name)
    .executeTakeFirst()
  return row && offerOf(row)
}

export async function offerByOrder(db: Db, orderId: string): Promise<RuntimeOffer | undefined> {
  const row = await offerRows(db).where('order_id', '=', orderId).executeTakeFirst()
  return row && offerOf(row)
}

export async function listOffers(db: Db): Promise<readonly RuntimeOffer[]> {
  return (await offerRows(db).orderBy('device').execute()).map(offerOf)
}

function offerRows(db: Db) {
  return db.selectFrom('runtime_offers').selectAll()
}

/** None for one of a form that only a later planner knows. */
function packageOf(row: Omit<Tables['runtime_packages'], 'seq'>): RuntimePackage[] {
  const manifest = readKnown(runtimeManifestSchema, JSON.parse(row.manifest))
  if (!manifest) return []
  const { digest, name, bytes, added_by: addedBy, added_at: addedAt } = row
  return [{ digest, name, bytes, manifest, addedBy, addedAt }]
}

function offerOf(row: Tables['runtime_offers']): RuntimeOffer {
  return {
    device: row.device,
    name: row.name,
    package: row.package,
    orderId: row.order_id,
    state: offerStateSchema.parse(row.state),
    attempt: row.attempt,
    error: row.error,
  }
}
