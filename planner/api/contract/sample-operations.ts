import { z } from 'zod'
import { deviceIdSchema, modelNameSchema } from '../../../shared/ids.ts'
import { selectorSchema } from '../../groups/index.ts'
import { list, type Operation } from './operation.ts'

const whose = {
  device: deviceIdSchema.optional(),
  where: selectorSchema.optional(),
  /** Received since. */
  since: z.iso.datetime({ offset: true }).optional(),
}
const portsSchema = z.record(z.string(), z.array(z.number()))

const sampleViewSchema = z.object({
  device: z.string(),
  revision: z.number().nullable(),
  /** By the device's clock. */
  at: z.string(),
  receivedAt: z.string(),
  why: z.string(),
  inputs: portsSchema,
  outputs: portsSchema,
})
export type SampleView = z.infer<typeof sampleViewSchema>

/** What operators do with samples that devices captured. Inputs of applications are for operators, their number for everybody. */
export const SAMPLE_OPERATIONS = {
  'samples.list': {
    role: 'viewer',
    input: z.object({ model: modelNameSchema.optional(), ...whose }),
    output: z.object({
      /** By model, revision and device. */
      rows: z.array(
        z.object({
          model: z.string(),
          revision: z.number().nullable(),
          device: z.string(),
          samples: z.number(),
          bytes: z.number(),
          /** How many of them, by why they were kept. */
          reasons: z.record(z.string(), z.number()),
          /** Received, by the planner's clock. */
          first: z.string(),
          last: z.string(),
        }),
      ),
      /** Told of by devices, and not here yet. */
      waiting: z.number(),
      /** Of all models and devices. */
      usedBytes: z.number(),
      quotaBytes: z.number(),
    }),
  },
  'samples.read': list('operator', sampleViewSchema, {
    model: modelNameSchema,
    ...whose,
    /** The newest first; absent: the oldest. */
    newest: z.boolean().optional(),
  }),
} as const satisfies Record<string, Operation>
