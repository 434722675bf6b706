import { z } from 'zod'
import { digestSchema } from '../../shared/digest-schema.ts'
import { deviceIdSchema, modelNameSchema } from '../../shared/ids.ts'
import { artifactRefSchema } from '../../shared/messages/index.ts'
import { wordSchema } from '../../shared/open-words.ts'
import { RUNTIME_NAMES } from '../../shared/runtime/index.ts'
import { anySchemeNameSchema } from '../../shared/scheme-name.ts'
import { classNameSchema, directedEngineSchema } from '../../shared/trust/index.ts'

/** What this device shall run for one model: both repositories vouch for every field. */
export const trustedAssignmentSchema = z.object({
  device: deviceIdSchema,
  model: modelNameSchema,
  /** Equal to `artifact.digest`: a variant is named by its bytes. */
  variant: digestSchema,
  artifact: artifactRefSchema,
  runtime: z.enum(RUNTIME_NAMES),
  /** Which engine of this device runs it; absent: one for such files. */
  engine: directedEngineSchema.optional(),
  scheme: anySchemeNameSchema,
  /** The class the variant was chosen for. */
  class: classNameSchema,
  /** Grows with every assignment of this model to this device. */
  counter: z.number().int().positive(),
  /** Grows with every release of this model: the device never goes back. */
  releaseCounter: z.number().int().positive(),
  /** Golden inputs and expected outputs for the self-test (`x`, `reference`), small. */
  selfTest: artifactRefSchema.nullable(),
  revision: z.number().int().positive().optional(),
  /** Names of the model's classes, small. */
  labels: artifactRefSchema.optional(),
  /** What its observations are counted by, small. */
  sketch: artifactRefSchema.optional(),
  issuedAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
})
export type TrustedAssignment = z.infer<typeof trustedAssignmentSchema>

/** A runtime's library that this device shall have: both repositories vouch for every field. */
export const trustedPackageSchema = z.object({
  kind: z.literal('runtime'),
  device: deviceIdSchema,
  /** In the place of a model: `runtime.tflite`. */
  model: modelNameSchema,
  /** Equal to `artifact.digest`. */
  variant: digestSchema,
  artifact: artifactRefSchema,
  runtime: z.enum(RUNTIME_NAMES),
  version: wordSchema,
  architecture: wordSchema,
  counter: z.number().int().positive(),
  releaseCounter: z.number().int().positive(),
  /** It brings no golden data: it is opened instead. */
  selfTest: z.null(),
  issuedAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
})
export type TrustedPackage = z.infer<typeof trustedPackageSchema>

/** Whatever goes into a slot. */
export type Installable = TrustedAssignment | TrustedPackage
export const installableSchema = z.union([trustedPackageSchema, trustedAssignmentSchema])

/** The engine that an assignment names: of a variant, where its director says one. */
export function engineOf(assignment: Installable): TrustedAssignment['engine'] {
  return isPackage(assignment) ? undefined : assignment.engine
}

export function isPackage(assignment: Installable): assignment is TrustedPackage {
  return 'kind' in assignment
}
