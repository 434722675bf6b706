import { z } from 'zod'
import { nameSchema } from '../../../shared/ids.ts'
import { ROLES } from '../../identity/index.ts'
import { batchSchema, batchSignaturesSchema, KEY_ROLES } from '../../trust/index.ts'
import { EVENT_KINDS } from './event-kinds.ts'
import { list, nothing, type Operation } from './operation.ts'
import { auditViewSchema, batchViewSchema, keysViewSchema } from './views.ts'
import { deliveryViewSchema, webhookNameSchema, webhookViewSchema } from './webhook-views.ts'

const batchNamed = z.object({ batch: z.string().max(64) })

const operatorViewSchema = z.object({
  name: z.string(),
  role: z.string(),
  state: z.enum(['good', 'expired', 'revoked']),
  createdBy: z.string(),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
})

/** Who may do what, who did, which keys vouch for it, and who is told. */
export const OPERATOR_OPERATIONS = {
  'operators.add': {
    role: 'admin',
    input: z.object({
      name: nameSchema,
      role: z.enum(ROLES),
      days: z.number().positive().max(3660).nullable(),
    }),
    output: z.object({ name: z.string(), role: z.enum(ROLES), token: z.string() }),
  },
  'operators.list': list('admin', operatorViewSchema, {}),
  'operators.revoke': {
    role: 'admin',
    input: z.object({ name: nameSchema }),
    output: z.object({ name: z.string(), tokens: z.number() }),
  },
  'broker.credentials': {
    role: 'admin',
    input: z.object({ names: z.array(z.string().max(253)).max(32) }),
    output: z.object({
      authority: z.string(),
      certificate: z.string(),
      key: z.string(),
      validUntil: z.string(),
      revoked: z.string(),
      revokedCount: z.number(),
      /** Devices that have a certificate, or an invitation. */
      believed: z.array(z.string()),
    }),
  },
  'keys.list': { role: 'viewer', input: nothing, output: keysViewSchema },
  'keys.pending': list('viewer', batchViewSchema, {}),
  'keys.batch': { role: 'viewer', input: batchNamed, output: batchSchema },
  'keys.submit': {
    role: 'admin',
    input: z.object({ signatures: batchSignaturesSchema }),
    output: batchViewSchema,
  },
  'keys.drop': { role: 'admin', input: batchNamed, output: batchNamed },
  'keys.rotate': {
    role: 'admin',
    input: z.object({
      holder: z.enum(KEY_ROLES),
      add: z.array(z.object({ name: nameSchema, publicKey: z.string().max(100) })).max(16),
      remove: z.array(nameSchema).max(16),
      threshold: z.number().int().positive().max(16).nullable(),
    }),
    output: z.array(batchViewSchema),
  },
  'keys.forget': {
    role: 'admin',
    input: z.object({ name: nameSchema }),
    output: z.object({ name: z.string() }),
  },
  'audit.list': list('admin', auditViewSchema, {
    subject: z.string().max(256).optional(),
    actor: z.string().max(128).optional(),
    action: z.string().max(64).optional(),
  }),
  'webhooks.list': list('admin', webhookViewSchema, {}),
  'webhooks.add': {
    role: 'admin',
    input: z.object({
      name: webhookNameSchema,
      url: z.string().max(2000),
      /** Kinds of events that it is told of; absent: all. */
      kinds: z.array(z.enum(EVENT_KINDS)).min(1).max(EVENT_KINDS.length).optional(),
    }),
    output: webhookViewSchema.extend({
      /** Signs what is sent; shown this once. */
      secret: z.string(),
    }),
  },
  'webhooks.remove': {
    role: 'admin',
    input: z.object({ name: webhookNameSchema }),
    output: z.object({ name: z.string(), undelivered: z.number() }),
  },
  'webhooks.dead': list('admin', deliveryViewSchema, { name: webhookNameSchema.optional() }),
  'webhooks.retry': {
    role: 'admin',
    input: z.object({ delivery: z.string().max(64) }),
    output: deliveryViewSchema,
  },
} as const satisfies Record<string, Operation>
