import { digestOf } from '../../../shared/digest.ts'
import type { ArtifactRef, Order, OrderOf } from '../../../shared/messages/index.ts'
import { MAX_MESSAGE_BYTES, printMessage } from '../../../shared/messages/index.ts'
import { type Offer, printImageFiles } from '../../../shared/trust/index.ts'
import {
  type ArtifactStore,
  type Db,
  directions,
  type OutboxOrder,
  orders,
  runtimePackages,
} from '../../storage/index.ts'
import { type Direction, isReleasedPackage, type TrustAuthority } from '../../trust/index.ts'

export interface OfferContext {
  readonly db: Db
  readonly artifacts: ArtifactStore
  readonly trust: TrustAuthority
  readonly now: () => Date
  /** The next version of all that the director says to a device; durable when it resolves. */
  readonly nextVersion: (device: string) => Promise<number>
}

const ROOT_FILE = /^\d+\.root\.json$/

/** The order as it goes out, with the director's word to this device, signed this moment. */
export async function toSend(
  context: OfferContext,
  device: string,
  order: OutboxOrder,
): Promise<Order> {
  if (order.kind === 'cancel') return order
  const { db, trust, nextVersion } = context
  const since = await directions.rootsOf(db, device)
  if (order.kind === 'probe') return trust.vouch(device, order, since)
  const version = await nextVersion(device)
  const variants = await directedNow(context, device)
  const offer = await trust.offer({ device, version, variants }, since)
  const whole: OrderOf<'assign'> = { ...order, offer, image: null }
  if (printMessage('orders', whole).length <= MAX_MESSAGE_BYTES.orders) return whole
  return { ...order, ...(await inPieces(context, device, order.id, offer)) }
}

/** No name of a model: the version of all that the director says to one device. */
export const DIRECTOR = ''

/**
 * What the device shall run and have, as it was released: the director repeats the release keys' own words. Of
 * libraries it hears only while it takes them: an older agent would believe nothing beside one.
 */
async function directedNow(
  { db, trust }: OfferContext,
  device: string,
): Promise<Direction['variants']> {
  const takes = (await runtimePackages.takers(db)).has(device)
  const directed: Direction['variants'][number][] = []
  for (const direction of await directions.directionsOf(db, device)) {
    const { model, variant, class: classId, counter, engine } = direction
    const released = (await trust.image.released(model)).find(({ digest }) => digest === variant)
    if (!released) continue
    if (isReleasedPackage(released)) {
      if (takes) directed.push({ ...released, counter })
      continue
    }
    const { classes: _classes, ...facts } = released
    directed.push({ ...facts, class: classId, counter, ...(engine && { engine }) })
  }
  return directed
}

/** The image repository's files are alike for all devices: one artifact, fetched in blocks. */
async function inPieces(
  { db, artifacts }: OfferContext,
  device: string,
  order: string,
  offer: Offer,
): Promise<{ offer: Offer; image: ArtifactRef }> {
  const names = Object.keys(offer.image)
  const pick = (wanted: (name: string) => boolean) =>
    Object.fromEntries(names.filter(wanted).map((name) => [name, offer.image[name] ?? '']))
  const files = printImageFiles(pick((name) => !ROOT_FILE.test(name)))
  const image = (await artifacts.findRef(digestOf(files))) ?? (await artifacts.put(files))
  await orders.allowFetching(db, device, order, [image.digest, image.blockList])
  return { offer: { ...offer, image: pick((name) => ROOT_FILE.test(name)) }, image }
}
