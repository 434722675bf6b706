import { z } from 'zod'
import { digestSchema } from '../../../shared/digest-schema.ts'
import { findingSchema } from '../../../shared/findings.ts'
import { measuredEngineSchema } from '../../../shared/measure/records.ts'
import {
  engineEntrySchema,
  engineNotesSchema,
  hardwareReportSchema,
} from '../../../shared/messages/index.ts'
import { openWord, wordOr } from '../../../shared/open-words.ts'
import { constraintsSchema, OBJECTIVES } from '../../selection/index.ts'
import { TARGET_NAMES } from '../../targets/index.ts'
import { layerLossSchema, modelFactsSchema } from '../../variants/index.ts'
import { rolloutHeadSchema } from './rollout-views.ts'

/** What the operator API answers with: plain values, for tables and for `--json` alike. Bytes, ms, shares of one. */

/** A planner may know more of them than the command that asks it. */
const targetName = openWord(TARGET_NAMES)

export const deviceViewSchema = z.object({
  id: z.string(),
  online: z.boolean(),
  /** Its certificates were taken from it. */
  revoked: z.boolean(),
  class: z.string().nullable(),
  /** Board or processor, in words. */
  board: z.string(),
  /** Identity read from a captured tree, measurements from the host. */
  emulated: z.boolean(),
  runtimes: z.array(engineEntrySchema),
  storageRoom: z.number().nullable(),
  memoryRoom: z.number().nullable(),
  lastSeen: z.string(),
  agentVersion: z.string(),
  /** What groups it: the operator's word before the device's own. */
  labels: z.record(z.string(), z.string()),
  /** What its own settings say otherwise, and nobody heeds. */
  overruled: z.record(z.string(), z.string()),
  /** Out of service: it counts nowhere. */
  retired: z.object({ at: z.string(), by: z.string(), reason: z.string() }).nullable(),
  installed: z.array(
    z.object({
      model: z.string(),
      /** Null where no revision of the model is known to have been built into this file. */
      revision: z.number().nullable(),
      variant: digestSchema,
      scheme: z.string().nullable(),
      active: z.boolean(),
    }),
  ),
  /** When applications there last told of a model; null: never. */
  healthToldAt: z.string().nullable().default(null),
  garbage: z.number(),
  garbageNote: z.string().nullable(),
  /** When it was last seen that more than one machine uses this identity; null: not of late. */
  doubleSeen: z.string().nullable().default(null),
  /** Raised on it now. */
  alarms: z.number().default(0),
})
export type DeviceView = z.infer<typeof deviceViewSchema>

export const deviceDetailSchema = deviceViewSchema.extend({
  firstSeen: z.string(),
  reasons: z.array(z.string()),
  report: hardwareReportSchema,
  engineNotes: engineNotesSchema,
})

export const classViewSchema = z.object({
  id: z.string(),
  /** Of the board family; null for an unknown class. */
  name: z.string().nullable(),
  devices: z.number(),
  online: z.number(),
  runtimes: z.array(targetName),
  features: z.array(z.string()),
  storageBytes: z.number().nullable(),
  memoryBytes: z.number().nullable(),
})
export type ClassView = z.infer<typeof classViewSchema>

export const classDetailSchema = classViewSchema.extend({
  members: z.array(
    z.object({ device: z.string(), online: z.boolean(), reasons: z.array(z.string()) }),
  ),
  notes: z.array(z.string()),
  models: z.array(
    z.object({ model: z.string(), revision: z.number(), stage: z.string(), why: z.string() }),
  ),
  /** Two speeds of its devices that measurements show, a sentence each. */
  speeds: z.array(z.string()).default([]),
})

/** A metric and what was reached in it; null where it could not be measured. */
const metricViewSchema = z.object({
  text: z.string(),
  direction: openWord(['higher', 'lower']),
  unit: openWord(['share', 'rate', 'number']),
  value: z.number().nullable(),
})

/** A candidate of one class: planned, built, measured and judged as far as it got. */
export const candidateViewSchema = z.object({
  scheme: z.string(),
  runtime: targetName,
  verdict: wordOr(['chosen', 'kept', 'dropped', 'pending'], 'pending'),
  reason: z.string(),
  state: openWord(['planned', 'building', 'built', 'failed', 'none']),
  digest: digestSchema.nullable(),
  bytes: z.number().nullable(),
  /** On this host, over the whole test set. */
  host: z
    .object({
      samples: z.number(),
      accuracy: z.number().nullable(),
      agreement: z.number().nullable(),
      sqnrDb: z.number().nullable(),
      metric: metricViewSchema.optional(),
    })
    .nullable(),
  /** On the devices of the class. */
  measured: z
    .object({
      p50Ms: z.number(),
      ratio: z.number().nullable(),
      memoryBytes: z.number(),
      accuracy: z.number().nullable(),
      drop: z.number().nullable(),
      basis: z.string(),
      metric: metricViewSchema.optional(),
      devices: z.number(),
      notes: z.array(z.string()),
    })
    .nullable(),
  findings: z.array(findingSchema),
  /** Layers whose codes lose most by themselves, worst first. */
  losses: z.array(layerLossSchema).default([]),
})
export type CandidateRow = z.infer<typeof candidateViewSchema>

export const variantViewSchema = candidateViewSchema.extend({
  model: z.string(),
  revision: z.number(),
  class: z.string(),
})

export const classPlanSchema = z.object({
  class: z.string(),
  /** Of the model, that was planned. */
  revision: z.number(),
  stage: z.string(),
  waiting: z.string(),
  stuck: z.boolean(),
  round: z.number(),
  winner: z.object({ scheme: z.string(), runtime: targetName }).nullable(),
  /** The nearest where nothing meets the constraints. */
  bestSoFar: z.object({ scheme: z.string(), runtime: targetName }).nullable(),
  why: z.string(),
  candidates: z.array(candidateViewSchema),
})
export type ClassPlan = z.infer<typeof classPlanSchema>

export const modelViewSchema = z.object({
  name: z.string(),
  revision: z.number(),
  source: digestSchema,
  bytes: z.number(),
  objective: openWord(OBJECTIVES),
  constraints: constraintsSchema,
  calibrationSamples: z.number(),
  testSamples: z.number(),
  labelled: z.boolean(),
  /** Of the float source over the test data; null without labels. */
  accuracy: z.number().nullable(),
  /** What it reaches in the metric that was chosen. */
  metric: metricViewSchema.optional(),
  intent: z.string(),
  registeredAt: z.string(),
  findings: z.array(findingSchema),
  classes: z.array(z.object({ class: z.string(), stage: z.string(), waiting: z.string() })),
})
export type ModelView = z.infer<typeof modelViewSchema>

export const revisionViewSchema = z.object({
  revision: z.number(),
  /** The one that is planned and rolled out. */
  inUse: z.boolean(),
  intent: z.string(),
  registeredAt: z.string(),
  by: z.string(),
  note: z.string().nullable(),
  tags: z.array(z.string()),
  /** When its files were pruned; null while they are there. */
  prunedAt: z.string().nullable(),
  source: digestSchema,
  bytes: z.number(),
  accuracy: z.number().nullable(),
  metric: metricViewSchema.optional(),
  testSamples: z.number(),
  /** Files built of it. */
  variants: z.number(),
  /** That run one of these files now. */
  devices: z.number(),
})
export type RevisionView = z.infer<typeof revisionViewSchema>

export const modelDetailSchema = modelViewSchema.extend({
  facts: modelFactsSchema,
  plans: z.array(classPlanSchema),
})

export const probeViewSchema = z.object({
  id: z.string(),
  model: z.string(),
  revision: z.number(),
  class: z.string(),
  round: z.number(),
  device: z.string(),
  scheme: z.string(),
  runtime: targetName,
  state: z.string(),
  orderedAt: z.string(),
  finishedAt: z.string().nullable(),
  p50Ms: z.number().nullable(),
  /** To float32 on its own runtime. */
  ratio: z.number().nullable(),
  /** To another candidate, measured in turns. */
  beside: z
    .object({ scheme: z.string(), runtime: targetName, ratio: z.number() })
    .nullable()
    .optional(),
  memoryBytes: z.number().nullable(),
  accuracy: z.number().nullable(),
  agreement: z.number().nullable(),
  verdict: z.string().nullable(),
  /** What ran it, as far as the device said. */
  engine: measuredEngineSchema.nullable(),
  flags: z.array(z.string()),
  error: z.string().nullable(),
})
export type ProbeView = z.infer<typeof probeViewSchema>

export const rolloutViewSchema = rolloutHeadSchema.extend({
  devices: z.array(
    z.object({
      device: z.string(),
      online: z.boolean(),
      wave: z.number(),
      state: z.string(),
      scheme: z.string().nullable(),
      /** Why it failed, or for which applications it waits. */
      error: z.string().nullable(),
      /** When its window opens; null: it waits for none. */
      opensAt: z.string().nullable(),
      /** What it measured of it once it ran there, beside what its class was chosen for; null: nothing yet. */
      recheck: z.string().nullable().default(null),
    }),
  ),
  /** Devices of the class that the waves have not reached. */
  outside: z.object({ online: z.number(), offline: z.number() }),
})
export type RolloutView = z.infer<typeof rolloutViewSchema>

export const rolloutStatusSchema = z.object({
  model: z.string(),
  intent: z.string(),
  /** What begins once this has ended. */
  next: z.object({ revision: z.number(), by: z.string(), at: z.string() }).nullable(),
  rollouts: z.array(rolloutViewSchema),
  /** Classes without a rollout, and what they wait for. */
  pending: z.array(
    z.object({ class: z.string(), stage: z.string(), waiting: z.string(), stuck: z.boolean() }),
  ),
})
export type RolloutStatus = z.infer<typeof rolloutStatusSchema>

export const windowViewSchema = z.object({
  name: z.string(),
  /** Devices it is for. */
  where: z.string(),
  /** `mon,tue 02:00–04:00 Europe/Berlin` */
  hours: z.string(),
  by: z.string(),
  /** Devices in service that it is for now, and how many of them keep it themselves. */
  devices: z.number(),
  keptThere: z.number(),
})
export type WindowView = z.infer<typeof windowViewSchema>

export const auditViewSchema = z.object({
  seq: z.number(),
  at: z.string(),
  actor: z.string(),
  action: z.string(),
  subject: z.string(),
  detail: z.record(z.string(), z.unknown()),
})
export type AuditView = z.infer<typeof auditViewSchema>

/** A key of the planner's trust: what it signs, and where its private part lies. */
export const keysViewSchema = z.object({
  anchor: z.string(),
  keys: z.array(
    z.object({
      name: z.string(),
      keyId: z.string(),
      publicKey: z.string(),
      kept: wordOr(['plain', 'sealed', 'elsewhere'], 'elsewhere'),
      /** `image targets`, with every role of every repository it signs for. */
      signs: z.array(z.string()),
    }),
  ),
  roles: z.array(
    z.object({
      repository: z.string(),
      role: z.string(),
      threshold: z.number(),
      keys: z.array(z.string()),
    }),
  ),
})
export type KeysView = z.infer<typeof keysViewSchema>

/** Metadata that waits for signatures. */
export const batchViewSchema = z.object({
  batch: z.string(),
  what: z.string(),
  lines: z.array(z.string()),
  state: openWord(['waiting', 'published']),
})
export type BatchView = z.infer<typeof batchViewSchema>
