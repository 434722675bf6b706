import { z } from 'zod'
import { deviceIdSchema, nameSchema } from '../../shared/ids.ts'
import { labelKeySchema, labelsSchema, labelValueSchema } from '../../shared/labels.ts'
import { windowSchema } from '../../shared/windows/index.ts'
import { selectorSchema } from '../groups/index.ts'
import type { Role } from '../identity/index.ts'
import { deviceDetailSchema, deviceViewSchema, windowViewSchema } from './views.ts'

/** What goes into an operation of the planner, what comes out, and who may. */
export interface Operation {
  readonly role: Role
  readonly input: z.ZodType
  readonly output: z.ZodType
}

const nothing = z.object({})
const inviteHours = z
  .number()
  .positive()
  .max(24 * 366)

/** What operators do with devices, and with the hours in which they may switch. */
export const DEVICE_OPERATIONS = {
  'devices.list': {
    role: 'viewer',
    input: z.object({
      where: selectorSchema.optional(),
      /** Retired ones too. */
      all: z.boolean().optional(),
    }),
    output: z.array(deviceViewSchema),
  },
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
    input: z.object({ device: deviceIdSchema, reason: z.string().max(200) }),
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
    output: z.object({ token: z.string(), device: z.string().nullable(), expiresAt: z.string() }),
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
  'windows.list': { role: 'viewer', input: nothing, output: z.array(windowViewSchema) },
  'windows.remove': {
    role: 'operator',
    input: z.object({ name: nameSchema }),
    output: z.object({ name: z.string() }),
  },
} as const satisfies Record<string, Operation>
