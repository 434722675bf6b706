import { z } from 'zod'
import { latencyRatioSchema, probeRecordSchema } from '../../shared/measure/records.ts'

/** What the child is at, in order; a probe that dies names the phase it died in. */
export const PHASES = {
  starting: 'starting',
  loading: 'loading the model',
  'first-run': 'running it for the first time',
  'loading-baseline': 'loading the baseline',
  measuring: 'measuring its latency',
  evaluating: 'evaluating its answers',
  metering: 'measuring its energy',
  soaking: 'running it for long',
} as const
export type Phase = keyof typeof PHASES

/** Several measured in turns, as they were asked for. */
const fieldSchema = z.object({
  sides: z.array(
    z.object({
      /** Of one sample's answer, and of the memory that it took beside those before it. */
      record: probeRecordSchema,
      /** By place, null to itself. */
      ratios: z.array(latencyRatioSchema.nullable()),
    }),
  ),
})
export type MeasuredField = z.infer<typeof fieldSchema>

/** From the child to its parent: phases as they come, then one result. */
export const childMessageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('phase'), phase: z.enum(Object.keys(PHASES) as [Phase, ...Phase[]]) }),
  z.object({ kind: z.literal('measured'), record: probeRecordSchema }),
  z.object({ kind: z.literal('field'), field: fieldSchema }),
  z.object({
    kind: z.literal('failed'),
    code: z.enum([
      'not-loadable',
      'run-failed',
      'out-of-memory',
      'runtime-missing',
      'library-unusable',
      'delegate-failed',
      'not-accelerated',
      'wrong-data',
    ]),
    message: z.string(),
  }),
])
export type ChildMessage = z.infer<typeof childMessageSchema>
