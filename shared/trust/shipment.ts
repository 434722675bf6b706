import { z } from 'zod'
import { digestSchema } from '../digest-schema.ts'
import { parseJsonText } from '../json.ts'
import { vouchedSchema } from '../signatures/index.ts'
import { classNameSchema, directorCustomSchema } from './custom.ts'
import { TrustError } from './errors.ts'
import { imageFilesSchema, offerSchema } from './offer.ts'

/** Name of the file by which a shipment travels beside the files that it speaks of. */
export const SHIPMENT_FILE = 'shipment.json'
export const MAX_SHIPMENT_BYTES = 4 * 1024 * 1024

const countSchema = z.number().int().positive()

/** One variant a class of devices shall run: the director's words to a device, but for those that name the device. */
export const shippedVariantSchema = directorCustomSchema
  .omit({ class: true, counter: true })
  .extend({ digest: digestSchema, bytes: countSchema })
export type ShippedVariant = z.infer<typeof shippedVariantSchema>

/** The payload that the director's keys sign: what devices of a class shall run that hear of it by another updater. */
export const shipmentStatementSchema = z.object({
  class: classNameSchema,
  issuedAt: z.iso.datetime(),
  expires: z.iso.datetime(),
  variants: z.array(shippedVariantSchema).min(1).max(256),
})
export type ShipmentStatement = z.infer<typeof shipmentStatementSchema>

/**
 * All that a device needs to judge what another updater brings it, in one file. `roots` leads from the first roots to
 * the newest; believed is what verifies.
 */
export const shipmentSchema = z.object({
  v: z.literal(1),
  roots: offerSchema,
  /** Files of the image repository beside its roots. */
  image: imageFilesSchema,
  vouched: vouchedSchema.extend({ payload: z.string().max(256 * 1024) }),
})
export type Shipment = z.infer<typeof shipmentSchema>

/** @throws TrustError `endless-data`, `malformed-metadata` */
export function parseShipment(bytes: Uint8Array): Shipment {
  if (bytes.length > MAX_SHIPMENT_BYTES) {
    throw new TrustError('endless-data', `${SHIPMENT_FILE} has ${bytes.length} bytes`)
  }
  const json = parseJsonText(bytes)
  const parsed = shipmentSchema.safeParse(json.ok ? json.value : undefined)
  if (parsed.success) return parsed.data
  throw new TrustError(
    'malformed-metadata',
    `${SHIPMENT_FILE} is none: it is made by fitment bridge hawkbit`,
  )
}
