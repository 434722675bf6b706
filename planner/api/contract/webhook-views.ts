import { z } from 'zod'
import { nameSchema } from '../../../shared/ids.ts'

export const webhookNameSchema = nameSchema

export const webhookViewSchema = z.object({
  name: z.string(),
  url: z.string(),
  /** Kinds of events that it is told of; null: all. */
  kinds: z.array(z.string()).nullable(),
  createdBy: z.string(),
  createdAt: z.string(),
  /** Waiting for their turn, or for a receiver that answers. */
  waiting: z.number(),
  /** Given up. */
  dead: z.number(),
  /** What its receiver last said; null: nothing was sent yet. */
  lastAnswer: z.string().nullable(),
})
export type WebhookView = z.infer<typeof webhookViewSchema>

export const deliveryViewSchema = z.object({
  id: z.string(),
  webhook: z.string(),
  kind: z.string(),
  state: z.enum(['waiting', 'delivered', 'dead']),
  attempts: z.number(),
  lastAnswer: z.string().nullable(),
  createdAt: z.string(),
  nextAt: z.string(),
})
export type DeliveryView = z.infer<typeof deliveryViewSchema>
