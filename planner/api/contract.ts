import { z } from 'zod'
import { digestSchema } from '../../shared/digest-schema.ts'
import { deviceIdSchema, modelNameSchema, nameSchema } from '../../shared/ids.ts'
import { labelKeySchema } from '../../shared/labels.ts'
import { selectorSchema } from '../groups/index.ts'
import { healthGateSchema } from '../health/index.ts'
import { ROLES, type Role } from '../identity/index.ts'
import { gateSchema, rateSchema, waveSchema } from '../rollout/index.ts'
import { constraintsSchema, OBJECTIVES } from '../selection/index.ts'
import { batchSchema, batchSignaturesSchema, KEY_ROLES } from '../trust/index.ts'
import { DEVICE_OPERATIONS, type Operation } from './device-operations.ts'
import { explanationSchema } from './explanation.ts'
import { alarmViewSchema, healthViewSchema } from './health-views.ts'
import { packageViewSchema } from './package-views.ts'
import {
  auditViewSchema,
  batchViewSchema,
  candidateViewSchema,
  classDetailSchema,
  classPlanSchema,
  classViewSchema,
  keysViewSchema,
  modelDetailSchema,
  modelViewSchema,
  probeViewSchema,
  revisionViewSchema,
  rolloutStatusSchema,
} from './views.ts'

/** Who may call what; over the planner's own socket everybody is an admin. */
export { ROLES, type Role }

const nothing = z.object({})
const model = z.object({ model: modelNameSchema })
const tag = z.string().regex(/^[A-Za-z][\w.-]{0,31}$/)
/** By its number, or by a tag: no digit first. */
const revisionName = z.union([z.number().int().positive(), tag])
const ofRevision = model.extend({ revision: revisionName.optional() })
const ofModel = z.object({ model: modelNameSchema.optional() })
const change = model.extend({ class: z.string().optional() })
const batchNamed = z.object({ batch: z.string().max(64) })
const upload = z.object({ digest: digestSchema, name: z.string().max(1024) })

/** Every operation of the planner: what goes in, what comes out, who may. Names are a contract. */
export const OPERATIONS = {
  'planner.info': {
    role: 'viewer',
    input: nothing,
    output: z.object({
      version: z.string(),
      fleet: z.string(),
      broker: z.string(),
      database: z.string(),
      trust: z.string(),
      /** What is wrong with its clock, and what to do. */
      clock: z.string().optional(),
    }),
  },
  ...DEVICE_OPERATIONS,
  'operators.add': {
    role: 'admin',
    input: z.object({
      name: nameSchema,
      role: z.enum(ROLES),
      days: z.number().positive().max(3660).nullable(),
    }),
    output: z.object({ name: z.string(), role: z.enum(ROLES), token: z.string() }),
  },
  'operators.list': {
    role: 'admin',
    input: nothing,
    output: z.array(
      z.object({
        name: z.string(),
        role: z.string(),
        state: z.enum(['good', 'expired', 'revoked']),
        createdBy: z.string(),
        createdAt: z.string(),
        expiresAt: z.string().nullable(),
      }),
    ),
  },
  'operators.revoke': {
    role: 'admin',
    input: z.object({ name: nameSchema }),
    output: z.object({ name: z.string(), tokens: z.number() }),
  },
  'classes.list': { role: 'viewer', input: nothing, output: z.array(classViewSchema) },
  'classes.show': {
    role: 'viewer',
    input: z.object({ class: z.string() }),
    output: classDetailSchema,
  },
  'models.add': {
    role: 'operator',
    input: z.object({
      name: modelNameSchema,
      source: upload,
      calibration: upload.nullable(),
      test: upload.nullable(),
      /** Names of its classes, a line each. */
      labels: upload.nullish(),
      /** Most accuracy that may be lost against the revision in use, as a share. */
      maxRegression: z.number().min(0).max(1).nullish(),
      /** Least that the float model must reach over its test data, in the metric's own unit. */
      minMetric: z.number().nullish(),
      /** What people want remembered of it. */
      note: z.string().max(500).nullish(),
      tags: z.array(tag).max(16).optional(),
      /** Why it is registered whatever the gates say; stands in the audit. */
      force: z.string().min(1).max(200).nullish(),
      objective: z.enum(OBJECTIVES),
      constraints: constraintsSchema,
    }),
    output: modelViewSchema,
  },
  'models.list': { role: 'viewer', input: nothing, output: z.array(modelViewSchema) },
  'models.show': { role: 'viewer', input: ofRevision, output: modelDetailSchema },
  'models.history': { role: 'viewer', input: model, output: z.array(revisionViewSchema) },
  'models.annotate': {
    role: 'operator',
    input: ofRevision.extend({
      /** Empty: none any more. */
      note: z.string().max(500).optional(),
      tags: z.array(tag).max(16),
      untag: z.array(tag).max(16),
    }),
    output: z.object({
      model: z.string(),
      revision: z.number(),
      note: z.string().nullable(),
      tags: z.array(z.string()),
    }),
  },
  'models.prune': {
    role: 'operator',
    input: model.extend({
      /** So many of the newest are kept whatever else. */
      keep: z.number().int().min(1).max(1000),
      olderDays: z.number().min(0).max(36_600),
      dryRun: z.boolean(),
    }),
    output: z.object({
      model: z.string(),
      dryRun: z.boolean(),
      revisions: z.array(
        z.object({
          revision: z.number(),
          /** Why it keeps its files; null: it does not. */
          kept: z.string().nullable(),
          freedBytes: z.number(),
        }),
      ),
    }),
  },
  'models.remove': {
    role: 'admin',
    input: model.extend({ force: z.boolean() }),
    output: z.object({
      model: z.string(),
      revisions: z.number(),
      /** That run it, and keep it. */
      devices: z.number(),
      freedBytes: z.number(),
    }),
  },
  'runtimes.add': {
    role: 'operator',
    input: z.object({ source: upload }),
    output: z.object({ isNew: z.boolean(), package: packageViewSchema }),
  },
  'runtimes.list': { role: 'viewer', input: nothing, output: z.array(packageViewSchema) },
  'runtimes.remove': {
    role: 'operator',
    input: z.object({ package: z.string().regex(/^[0-9a-f]{4,64}$/) }),
    output: packageViewSchema,
  },
  'variants.list': {
    role: 'viewer',
    input: ofModel,
    output: z.array(candidateViewSchema.extend({ model: z.string(), class: z.string() })),
  },
  'probes.list': { role: 'viewer', input: ofModel, output: z.array(probeViewSchema) },
  plan: {
    role: 'operator',
    input: model.extend({
      class: z.string().optional(),
      /** Only classes of these devices are waited for and shown. */
      where: selectorSchema.optional(),
      dryRun: z.boolean(),
      /** Plan and measure anew though a selection exists. */
      again: z.boolean(),
      /** Choose from records of disturbed measurements too. */
      acceptNoise: z.boolean().optional(),
    }),
    output: z.object({ model: z.string(), classes: z.array(classPlanSchema) }),
  },
  'plan.explain': {
    role: 'viewer',
    input: model.extend({ device: z.string() }),
    output: explanationSchema,
  },
  'rollout.start': {
    role: 'operator',
    input: ofRevision.extend({
      waves: z.array(waveSchema).min(1),
      gate: gateSchema,
      approval: z.boolean(),
      revert: z.boolean(),
      health: healthGateSchema.nullish(),
      where: selectorSchema.optional(),
      atomicBy: labelKeySchema.optional(),
      rate: rateSchema.optional(),
      atOnce: z.boolean().optional(),
      /** Where another revision is under way: begin once it has ended, instead of refusing. */
      after: z.boolean().optional(),
      wait: z.boolean(),
      acceptNoise: z.boolean().optional(),
    }),
    output: rolloutStatusSchema,
  },
  rollback: {
    role: 'operator',
    input: model.extend({ to: revisionName.optional(), wait: z.boolean() }),
    output: rolloutStatusSchema,
  },
  'rollout.status': { role: 'viewer', input: model, output: rolloutStatusSchema },
  'rollout.pause': {
    role: 'operator',
    /** When it goes on by itself; absent: when somebody resumes it. */
    input: change.extend({ until: z.iso.datetime({ offset: true }).optional() }),
    output: rolloutStatusSchema,
  },
  'rollout.resume': {
    role: 'operator',
    input: change.extend({ retry: z.boolean() }),
    output: rolloutStatusSchema,
  },
  'rollout.abort': { role: 'operator', input: change, output: rolloutStatusSchema },
  'rollout.approve': { role: 'operator', input: change, output: rolloutStatusSchema },
  health: {
    role: 'viewer',
    input: model.extend({
      device: deviceIdSchema.optional(),
      class: z.string().max(128).optional(),
      days: z.number().int().min(1).max(35).default(7),
    }),
    output: healthViewSchema,
  },
  'alarms.list': {
    role: 'viewer',
    input: ofModel.extend({ all: z.boolean().default(false) }),
    output: z.array(alarmViewSchema),
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
    }),
  },
  'keys.list': { role: 'viewer', input: nothing, output: keysViewSchema },
  'keys.pending': { role: 'viewer', input: nothing, output: z.array(batchViewSchema) },
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
  'audit.list': {
    role: 'admin',
    input: z.object({ limit: z.number().int().min(1).max(10_000), subject: z.string().optional() }),
    output: z.array(auditViewSchema),
  },
} as const satisfies Record<string, Operation>

export type OperationName = keyof typeof OPERATIONS
export type OperationInput<K extends OperationName> = z.output<(typeof OPERATIONS)[K]['input']>
export type OperationOutput<K extends OperationName> = z.output<(typeof OPERATIONS)[K]['output']>

export const progressSchema = z.object({
  what: z.string(),
  done: z.number(),
  total: z.number(),
})
export type ApiProgress = z.infer<typeof progressSchema>

/** One line of an answer: any number of `progress`, then one `result` or `error`. */
export const answerLineSchema = z.union([
  z.object({ progress: progressSchema }),
  z.object({ error: z.object({ code: z.string(), message: z.string() }) }),
  z.object({ result: z.unknown() }),
])

export const operationNames = Object.keys(OPERATIONS) as [OperationName, ...OperationName[]]

/** Where operations and uploads live. */
export const PATHS = { operations: '/v1/operations/', artifacts: '/v1/artifacts' } as const
