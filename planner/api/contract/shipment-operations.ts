import { z } from 'zod'
import type { Operation } from './operation.ts'

/** A file that a shipment speaks of, or the list of its blocks. */
const shippedFileSchema = z.object({ digest: z.string(), bytes: z.number(), name: z.string() })

const shippedSchema = z.object({
  model: z.string(),
  revision: z.number().nullable(),
  scheme: z.string(),
  runtime: z.string(),
  digest: z.string(),
  bytes: z.number(),
  /** All that a device fetches for it; bytes by `GET /artifacts/{digest}`. */
  files: z.array(shippedFileSchema),
})

export const shipmentViewSchema = z.object({
  class: z.string(),
  issuedAt: z.string(),
  /** From then on no device believes it. */
  expires: z.string(),
  variants: z.array(shippedSchema),
  /** `shipment.json`, to lie beside the files. */
  shipment: z.string(),
})
export type ShipmentView = z.infer<typeof shipmentViewSchema>

/** What goes to devices by another updater. */
export const SHIPMENT_OPERATIONS = {
  'shipments.make': {
    role: 'operator',
    input: z.object({ class: z.string().optional() }),
    output: z.object({
      shipments: z.array(shipmentViewSchema),
      /** What does not go, and why. */
      left: z.array(z.object({ class: z.string(), model: z.string(), why: z.string() })),
    }),
  },
} as const satisfies Record<string, Operation>
