import { z } from 'zod'
import { digestSchema } from '../digest-schema.ts'
import { messageIdSchema, modelNameSchema } from '../ids.ts'
import { probeRecordSchema } from '../measure/records.ts'
import { fieldOf, openUnion, openWord, wordSchema } from '../open-words.ts'
import { observationsShape } from './observations.ts'
import { MOST_OTHERS } from './orders.ts'

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
  state: openWord(INSTALL_STATES),
  /** Bytes present on the device, while downloading. */
  bytesDone: z.number().int().nonnegative().optional(),
  /** Whose locks keep it from being switched to, while installed. */
  waitsFor: z.string().max(1024).optional(),
  error: refusalSchema.optional(),
})

const OUTCOMES: ReadonlySet<unknown> = new Set(['measured', 'failed'])

/** An outcome, or a record of a way to measure, that came later is an answer all the same: it is not asked for again. */
function knownResult(result: unknown): unknown {
  const outcome = wordSchema.safeParse(fieldOf(result, 'outcome')).data
  const measured = fieldOf(fieldOf(result, 'record'), 'probeVersion')
  const later =
    outcome !== undefined && !OUTCOMES.has(outcome)
      ? `the outcome ${outcome}`
      : Number.isSafeInteger(measured) && measured !== 1 && `probe version ${measured}`
  if (!later) return result
  const message = `the device answers with ${later}, which this planner does not know: update the planner`
  return { outcome: 'failed', error: { code: 'unknown-outcome', message } }
}

const resultSchema = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('measured'), record: probeRecordSchema }),
  z.object({ outcome: z.literal('failed'), error: refusalSchema }),
])

export const probeReportSchema = z.object({
  ...envelope,
  kind: z.literal('probe'),
  order: messageIdSchema,
  model: modelNameSchema,
  variant: digestSchema,
  result: z.preprocess(knownResult, resultSchema),
  /** Of each other that the order named, by its probe; an agent that does not know of others says nothing of them. */
  others: z
    .array(z.object({ probe: messageIdSchema, result: z.preprocess(knownResult, resultSchema) }))
    .max(MOST_OTHERS)
    .optional(),
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

/** The order is durable on the device as one that it does not understand: nothing comes of it. */
export const refusedReportSchema = z.object({
  ...envelope,
  kind: z.literal('refused'),
  order: messageIdSchema,
  error: refusalSchema,
})

/** Sent once an hour and model at most. */
export const observationsReportSchema = z.object({
  ...envelope,
  kind: z.literal('observations'),
  model: modelNameSchema,
  ...observationsShape,
})

/** Samples that one report names at most. */
export const MOST_CAPTURED = 64

/** Inferences worth a label that lie on the device, and may be collected. Said once in a while, and kept nowhere. */
export const capturedReportSchema = z.object({
  ...envelope,
  kind: z.literal('captured'),
  model: modelNameSchema,
  /** By the digest of its bytes. */
  samples: z
    .array(
      z.object({
        digest: digestSchema,
        bytes: z.number().int().positive().max(Number.MAX_SAFE_INTEGER),
      }),
    )
    .max(MOST_CAPTURED),
  /** Named before, and made room for others since. */
  gone: z.array(digestSchema).max(MOST_CAPTURED).default([]),
})

export const reportSchema = z.discriminatedUnion('kind', [
  ackReportSchema,
  installReportSchema,
  probeReportSchema,
  healthReportSchema,
  refusedReportSchema,
  observationsReportSchema,
  capturedReportSchema,
])
export type Report = z.infer<typeof reportSchema>
export type ReportKind = Report['kind']
export type ReportOf<K extends ReportKind> = Extract<Report, { kind: K }>

/** A report of a later version, as far as every report can be read: enough to give its receipt. */
export interface LaterReport {
  readonly id: string
  readonly kind: 'later'
  /** Its kind, as it was said. */
  readonly said: string
}

const laterReportSchema = z
  .object({ v: z.literal(1), id: messageIdSchema, kind: z.string() })
  .transform(({ id, kind }): LaterReport => ({ id, kind: 'later', said: kind }))

export const REPORTS = openUnion('kind', reportSchema, laterReportSchema)
export type HeardReport = Report | LaterReport
