import { z } from 'zod'
import { digestSchema } from '../../../shared/digest-schema.ts'
import { deviceIdSchema, modelNameSchema } from '../../../shared/ids.ts'
import { selectorSchema } from '../../groups/index.ts'
import { policyChangeSchema } from '../../probing/index.ts'
import { constraintsSchema, OBJECTIVES } from '../../selection/index.ts'
import { explanationSchema } from './explanation.ts'
import { list, type Operation } from './operation.ts'
import { packageViewSchema } from './package-views.ts'
import { model, ofModel, ofRevision, tag } from './revision-name.ts'
import {
  classPlanSchema,
  modelDetailSchema,
  modelViewSchema,
  probeViewSchema,
  revisionViewSchema,
  variantViewSchema,
} from './views.ts'

const upload = z.object({ digest: digestSchema, name: z.string().max(1024) })

/** What operators do with models, what is built of them, and what runs them. */
export const MODEL_OPERATIONS = {
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
      /** How its probes are made; as usual where absent. */
      probing: policyChangeSchema.optional(),
    }),
    output: modelViewSchema,
  },
  'models.list': list('viewer', modelViewSchema, {}),
  'models.show': { role: 'viewer', input: ofRevision, output: modelDetailSchema },
  'models.history': list('viewer', revisionViewSchema, model.shape),
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
  'runtimes.list': list('viewer', packageViewSchema, {}),
  'runtimes.remove': {
    role: 'operator',
    input: z.object({ package: z.string().regex(/^[0-9a-f]{4,64}$/) }),
    output: packageViewSchema,
  },
  'variants.list': list('viewer', variantViewSchema, ofModel.shape),
  'probes.list': list('viewer', probeViewSchema, {
    ...ofModel.shape,
    device: deviceIdSchema.optional(),
  }),
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
      /** What changes of how its probes are made; then all is measured anew. */
      probing: policyChangeSchema.optional(),
    }),
    output: z.object({
      model: z.string(),
      revision: z.number(),
      classes: z.array(classPlanSchema),
    }),
  },
  'plan.explain': {
    role: 'viewer',
    input: model.extend({ device: z.string() }),
    output: explanationSchema,
  },
} as const satisfies Record<string, Operation>
