import { z } from 'zod'
import { digestSchema } from '../digest-schema.ts'
import { messageIdSchema, modelNameSchema } from '../ids.ts'
import { labelsSchema } from '../labels.ts'
import { openWord } from '../open-words.ts'
import { RUNTIME_NAMES } from '../runtime/index.ts'
import { MAX_VERSION } from '../trust/index.ts'
import { hardwareReportSchema } from './hardware-report.ts'

/** Random per agent start plus a counter per connection: a death speaks only for its own epoch. */
export const epochSchema = z.object({
  start: z.string().max(64),
  connection: z.number().int().nonnegative(),
})
export type Epoch = z.infer<typeof epochSchema>

export const installedSlotSchema = z.object({
  model: modelNameSchema,
  variant: digestSchema,
  /** True for the slot that `current` names. */
  active: z.boolean(),
})

const rootVersionSchema = z.number().int().nonnegative().max(MAX_VERSION)

/** One way in which the device runs models; births of old know runtimes that came with the agent only. */
export const engineEntrySchema = z.object({
  name: openWord(RUNTIME_NAMES),
  version: z.string().max(32),
  /** Of native runtimes: where it lies, and sha256 of what lies there. */
  library: z.object({ path: z.string().max(512), digest: digestSchema }).optional(),
  /** Asked in this order. */
  delegates: z
    .array(
      z.object({
        name: z.string().max(64),
        path: z.string().max(512),
        digest: digestSchema,
        options: z.record(z.string().max(64), z.string().max(512)),
      }),
    )
    .max(8)
    .optional(),
  /** Of runtimes that know several; absent: the processor. */
  device: z.string().max(32).optional(),
})
export type EngineEntry = z.infer<typeof engineEntrySchema>

/** A library or delegate that the device was told of and cannot use. */
export const unusableEngineSchema = z.object({
  name: z.string().max(64),
  path: z.string().max(512),
  code: z.string().max(64),
  message: z.string().max(300),
})
export type UnusableEngine = z.infer<typeof unusableEngineSchema>

/** A library or delegate in a well-known place, which the device was not told to use. */
export const proposedEngineSchema = unusableEngineSchema.pick({ name: true, path: true })
export type ProposedEngine = z.infer<typeof proposedEngineSchema>

/** What a device says of libraries that it does not use. */
export const engineNotesSchema = z.object({
  unusable: z.array(unusableEngineSchema).max(32).default([]),
  proposed: z.array(proposedEngineSchema).max(32).default([]),
})
export type EngineNotes = z.infer<typeof engineNotesSchema>

/** agent → planner, on every connect and when the planner asks for it. */
export const birthSchema = z.object({
  v: z.literal(1),
  id: messageIdSchema,
  epoch: epochSchema,
  agentVersion: z.string().max(32),
  report: hardwareReportSchema,
  runtimes: z.array(engineEntrySchema).max(32),
  unusable: z.array(unusableEngineSchema).max(32).optional(),
  proposed: z.array(proposedEngineSchema).max(32).optional(),
  /** Most the agent lets a model use while it runs, bytes; null: no limit but the machine's. */
  memoryLimitBytes: z.number().int().positive().nullable(),
  slots: z.array(installedSlotSchema).max(256),
  /** It takes libraries of runtimes from the planner; absent: it does not. */
  acceptsRuntimes: z.boolean().optional(),
  /** What its own settings group it by; an operator's word goes before. */
  labels: labelsSchema.optional(),
  /** Where it stands, by the name in the IANA database: `Europe/Berlin`. */
  timeZone: z.string().max(64).optional(),
  /** Versions of the trust roots it has; 0: none yet. Later ones are what it must be sent. */
  roots: z.object({ director: rootVersionSchema, image: rootVersionSchema }),
})
export type Birth = z.infer<typeof birthSchema>

/** Last will, published by the broker. */
export const deathSchema = z.object({ v: z.literal(1), epoch: epochSchema })
export type Death = z.infer<typeof deathSchema>
