import { z } from 'zod'
import { type EngineChoice, RUNTIME_NAMES } from '../../shared/runtime/index.ts'

const delegateChoiceSchema = z.object({
  path: z.string().min(1),
  options: z.record(z.string(), z.string()),
})

/** An engine as a child process is told it. */
export const engineChoiceSchema: z.ZodType<EngineChoice> = z.object({
  runtime: z.enum(RUNTIME_NAMES),
  library: z.string().exactOptional(),
  delegates: z.array(delegateChoiceSchema).readonly().exactOptional(),
  device: z.string().exactOptional(),
  minDelegated: z.number().exactOptional(),
  xnnpack: z.boolean().exactOptional(),
})
