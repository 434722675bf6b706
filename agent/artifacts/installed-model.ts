import { z } from 'zod'
import { digestSchema } from '../../shared/digest-schema.ts'
import { modelNameSchema } from '../../shared/ids.ts'

const endSchema = z.object({
  name: z.string(),
  type: z.string(),
  /** -1 where the model leaves a dimension open. */
  shape: z.array(z.number().int()),
  /** real = scale × (q − zeroPoint) */
  quantization: z.object({ scale: z.number(), zeroPoint: z.number() }).optional(),
})

/** `model.json`: all that an application needs to run the file beside it as it was measured. */
export const installedModelSchema = z.object({
  v: z.literal(1),
  model: modelNameSchema,
  /** Of the model; null where its planner does not say it. */
  revision: z.number().int().positive().nullable().default(null),
  variant: digestSchema,
  scheme: z.string(),
  /** Beside this one. */
  file: z.string(),
  runtime: z.string(),
  /** Of native runtimes. */
  library: z.object({ path: z.string(), version: z.string(), digest: z.string() }).nullable(),
  /** Asked in this order. */
  delegates: z.array(
    z.object({ name: z.string(), path: z.string(), options: z.record(z.string(), z.string()) }),
  ),
  /** Of runtimes that know several; null: the processor. */
  device: z.string().nullable(),
  /** As many as it was measured with; null: the runtime's own default. */
  threads: z.number().int().nullable(),
  /** Processors it was measured on (`taskset -c`); null: wherever the system puts it. */
  cores: z.array(z.number().int()).nullable().default(null),
  /** Null where the model could not be looked into before its self-test. */
  inputs: z.array(endSchema).nullable(),
  outputs: z.array(endSchema).nullable(),
  /** Names of the classes, by the index that the model answers; null where the operator gave none. */
  labels: z.array(z.string()).nullable().default(null),
  /** Digest of `sketch.json` beside this one, in whose bins observations are counted; null where there is none. */
  sketch: digestSchema.nullable().default(null),
})
export type InstalledModel = z.infer<typeof installedModelSchema>

export const INSTALLED_MODEL_FILE = 'model.json'
export const SKETCH_FILE = 'sketch.json'
