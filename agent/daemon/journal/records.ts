import { z } from 'zod'
import { digestSchema } from '../../../shared/digest-schema.ts'
import { messageIdSchema, modelNameSchema } from '../../../shared/ids.ts'
import { probeOrderSchema, refusalSchema, reportSchema } from '../../../shared/messages/index.ts'
import { windowSchema } from '../../../shared/windows/index.ts'
import { installableSchema } from '../../trust/index.ts'
import { INSTALL_STEPS } from '../transitions/install-table.ts'
import { PROBE_STEPS } from '../transitions/probe-table.ts'

const linksSchema = z.object({
  current: digestSchema.nullable(),
  previous: digestSchema.nullable(),
})

/** The one installation of a model that runs, or the last one that ran. */
export const installationSchema = z.object({
  order: messageIdSchema,
  assignment: installableSchema,
  step: z.enum(INSTALL_STEPS),
  /** Deaths of the agent in the present step. */
  restarts: z.number().int().nonnegative(),
  /** The links as they were before `switching`: the way back. */
  before: linksSchema.nullable(),
  error: refusalSchema.nullable(),
  /** Hours in which it may switch; absent: at once. */
  windows: z.array(windowSchema).optional(),
})
export type Installation = z.infer<typeof installationSchema>

export const probeJobSchema = z.object({
  order: probeOrderSchema,
  step: z.enum(PROBE_STEPS),
  restarts: z.number().int().nonnegative(),
  /** The final report, to answer the order once more should it come again. */
  answer: reportSchema.nullable(),
})
export type ProbeJob = z.infer<typeof probeJobSchema>

/** What the journal holds, kind by kind: its unions and its checks are derived from this. */
export const RECORDS = {
  /** By model. */
  installation: installationSchema,
  /** By model: accepted while an installation of the same model could not be left. */
  queued: z.object({
    order: messageIdSchema,
    assignment: installableSchema,
    windows: z.array(windowSchema).optional(),
  }),
  /** By model: the highest counter of an accepted assignment, and what it named. */
  counter: z.object({
    model: modelNameSchema,
    counter: z.number().int().positive(),
    variant: digestSchema,
  }),
  /** By order. */
  probe: probeJobSchema,
  /** By variant: it brought the runtime down on this device. */
  quarantine: refusalSchema.extend({ variant: digestSchema, at: z.iso.datetime() }),
  /** By order: orders that were refused, with the answer that was given. */
  refused: z.object({ order: messageIdSchema, answer: reportSchema }),
  /** By order: installations that ended, with the answer that was given. */
  ended: z.object({ order: messageIdSchema, answer: reportSchema }),
  /** By report: waits for the planner's receipt. */
  report: reportSchema,
  /** One, `agent`: whether the agent left in order. */
  run: z.object({ clean: z.boolean() }),
} as const

export type RecordKind = keyof typeof RECORDS
export type Records = { [K in RecordKind]: z.infer<(typeof RECORDS)[K]> }
