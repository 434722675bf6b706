import { z } from 'zod'
import { RUNTIME_NAMES } from '../../shared/runtime/index.ts'

export const delegateChoiceSchema = z.object({
  path: z.string().min(1),
  options: z.record(z.string(), z.string()),
})

/** An `EngineChoice` as it is handed to a child process. */
export const engineChoiceSchema = z.object({
  runtime: z.enum(RUNTIME_NAMES),
  library: z.string().optional(),
  delegates: z.array(delegateChoiceSchema).optional(),
  device: z.string().optional(),
  minDelegated: z.number().optional(),
  xnnpack: z.boolean().optional(),
})
