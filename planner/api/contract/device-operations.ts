import { z } from 'zod'
import { deviceIdSchema, modelNameSchema, nameSchema } from '../../../shared/ids.ts'
import { labelKeySchema, labelsSchema, labelValueSchema } from '../../../shared/labels.ts'
import { windowSchema } from '../../../shared/windows/index.ts'
import { selectorSchema } from '../../groups/index.ts'
import { list, type Operation } from './operation.ts'
import {
  classDetailSchema,
  classViewSchema,
  deviceDetailSchema,
  deviceViewSchema,
  windowViewSchema,
} from './views.ts'

/** `void`: a newer one was made for its device, or the device was revoked. */
export const INVITE_STATES = ['good', 'used-up', 'expired', 'revoked', 'void'] as const
export type InviteState = (typeof INVITE_STATES)[number]

const inviteViewSchema = z.object({
  id: z.string(),
  state: z.enum(INVITE_STATES),
  device: z.string().nullable(),
  uses: z.number(),
  used: z.number(),
  labels: labelsSchema,
  /** Of devices that the operator's own authority speaks for. */
  names: z.array(z.string()).nullable(),
  createdBy: z.string(),
  createdAt: z.string(),
  expiresAt: z.string(),
  revoked: z.object({ by: z.string(), at: z.string(), reason: z.string() }).nullable(),
})

const inviteHours = z
  .number()
  .positive()
  .max(24 * 366)

/** What operators do with devices, and with the hours in which they may switch. */
export const DEVICE_OPERATIONS = {
  'devices.list': list('viewer', deviceViewSchema, {
    where: selectorSchema.optional(),
    /** Part of its name. */
    q: z.string().max(64).optional(),
    /** Of a board, or of one class of it. */
    class: z.string().max(128).optional(),
    state: z.enum(['online', 'offline']).optional(),
    /** Whether an alarm is raised on it. */
    health: z.enum(['good', 'alarm']).optional(),
    /** Runs it, in any revision or in the one that is named. */
    model: modelNameSchema.optional(),
    revision: z.number().int().positive().optional(),
    /** Retired ones too. */
    all: z.boolean().optional(),
  }),
  'devices.label': {
    role: 'operator',
    input: z.object({
      devices: z.array(deviceIdSchema).max(1000),
      /** In the place of names. */
      where: selectorSchema.optional(),
      /** Null takes one away. */
      labels: z.record(labelKeySchema, labelValueSchema.nullable()),
    }),
    output: z.object({
      devices: z.array(deviceViewSchema),
      /** Of so many in service. */
      of: z.number(),
    }),
  },
  'devices.retire': {
    role: 'operator',
    input: z.object({ device: deviceIdSchema, reason: z.string().max(200), undo: z.boolean() }),
    output: z.object({ device: z.string(), changed: z.boolean() }),
  },
  'devices.remove': {
    role: 'operator',
    input: z.object({ device: deviceIdSchema, reason: z.string().max(200).default('') }),
    output: z.object({ device: z.string(), certificates: z.number(), tokens: z.number() }),
  },
  'devices.show': {
    role: 'viewer',
    input: z.object({ device: z.string() }),
    output: deviceDetailSchema,
  },
  'devices.invite': {
    role: 'operator',
    input: z.object({
      device: deviceIdSchema.nullable(),
      hours: inviteHours,
      /** Devices that it is good for; one where absent, or where a device is named. */
      uses: z.number().int().min(1).max(100_000).optional(),
      labels: labelsSchema.optional(),
      /** PEM of the operator's own authority, and names or patterns of devices that it may speak for. */
      authority: z
        .object({
          certificate: z.string().max(16_384),
          names: z
            .array(z.string().regex(/^[\w.*-]{1,64}$/))
            .min(1)
            .max(10_000),
        })
        .optional(),
    }),
    output: z.object({
      /** For `invites.revoke`; the token itself is known to nobody else. */
      id: z.string(),
      token: z.string(),
      device: z.string().nullable(),
      expiresAt: z.string(),
    }),
  },
  'invites.list': list('operator', inviteViewSchema, {
    /** Those that let nobody in any more, too. */
    all: z.boolean().optional(),
  }),
  'invites.revoke': {
    role: 'operator',
    input: z.object({
      /** Its id, or how that begins. */
      invite: z.string().regex(/^[0-9a-f]{4,64}$/),
      reason: z.string().max(200).default(''),
    }),
    output: z.object({
      id: z.string(),
      device: z.string().nullable(),
      used: z.number(),
      uses: z.number(),
    }),
  },
  'devices.inviteMany': {
    role: 'operator',
    input: z.object({
      devices: z
        .array(z.object({ device: deviceIdSchema, labels: labelsSchema }))
        .min(1)
        .max(500),
      hours: inviteHours,
    }),
    output: z.array(
      z.object({
        device: z.string(),
        token: z.string(),
        expiresAt: z.string(),
        isKnown: z.boolean(),
      }),
    ),
  },
  'devices.revoke': {
    role: 'operator',
    input: z.object({ device: deviceIdSchema, reason: z.string().max(200) }),
    output: z.object({ device: z.string(), certificates: z.number(), tokens: z.number() }),
  },
  'windows.set': {
    role: 'operator',
    input: z.object({ name: nameSchema, where: selectorSchema, window: windowSchema }),
    output: windowViewSchema,
  },
  'windows.list': list('viewer', windowViewSchema, {}),
  'windows.remove': {
    role: 'operator',
    input: z.object({ name: nameSchema }),
    output: z.object({ name: z.string() }),
  },
  'classes.list': list('viewer', classViewSchema, {}),
  'classes.show': {
    role: 'viewer',
    input: z.object({ class: z.string() }),
    output: classDetailSchema,
  },
} as const satisfies Record<string, Operation>
