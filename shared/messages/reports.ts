import { z } from 'zod'
import { digestSchema } from '../digest-schema.ts'
import { messageIdSchema, modelNameSchema } from '../ids.ts'
import { probeRecordSchema } from '../measure/probe-record.ts'

/** States of an installation as the fleet sees them; the agent's own table is finer. */
export const INSTALL_STATES = [
  'accepted',
  'downloading',
  'verified',
  'installed',
  'active',
  'rolled-back',
  'refused',
  'failed',
] as const
export type InstallState = (typeof INSTALL_STATES)[number]

/** Why an order was not carried out, a vocabulary both ends share. */
export const refusalSchema = z.object({
  code: z
    .string()
    .regex(/^[a-z0-9-]+$/)
    .max(64),
  message: z.string().max(1024),
})

const envelope = { v: z.literal(1), id: messageIdSchema, at: z.iso.datetime() }

/** The order is durable on the device; sent before anything is done about it. */
export const ackReportSchema = z.object({
  ...envelope,
  kind: z.literal('ack'),
  order: messageIdSchema,
})

export const installReportSchema = z.object({
  ...envelope,
  kind: z.literal('install'),
  order: messageIdSchema,
  model: modelNameSchema,
  variant: digestSchema,
  state: z.enum(INSTALL_STATES),
  /** Bytes present on the device, while downloading. */
  bytesDone: z.number().int().nonnegative().optional(),
  error: refusalSchema.optional(),
})

export const probeReportSchema = z.object({
  ...envelope,
  kind: z.literal('probe'),
  order: messageIdSchema,
  model: modelNameSchema,
  variant: digestSchema,
  result: z.discriminatedUnion('outcome', [
    z.object({ outcome: z.literal('measured'), record: probeRecordSchema }),
    z.object({ outcome: z.literal('failed'), error: refusalSchema }),
  ]),
})

/** Sent when what a device runs differs from what it last said: after a rollback, or a lost slot. */
export const healthReportSchema = z.object({
  ...envelope,
  kind: z.literal('health'),
  model: modelNameSchema,
  variant: digestSchema.nullable(),
  healthy: z.boolean(),
  detail: z.string().max(1024),
})

export const reportSchema = z.discriminatedUnion('kind', [
  ackReportSchema,
  installReportSchema,
  probeReportSchema,
  healthReportSchema,
])
export type Report = z.infer<typeof reportSchema>
export type ReportKind = Report['kind']
export type ReportOf<K extends ReportKind> = Extract<Report, { kind: K }>
