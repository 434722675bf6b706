import { z } from 'zod'
import { probeRecordSchema } from '../../shared/measure/records.ts'

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

/** From the child to its parent: phases as they come, then one result. */
export const childMessageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('phase'), phase: z.enum(Object.keys(PHASES) as [Phase, ...Phase[]]) }),
  z.object({ kind: z.literal('measured'), record: probeRecordSchema }),
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
