import { z } from 'zod'
import { artifactRefSchema } from '../artifact.ts'
import { digestSchema } from '../digest-schema.ts'
import { deviceIdSchema, modelNameSchema } from '../ids.ts'
import { fieldOf, openWord, wordSchema } from '../open-words.ts'
import { RUNTIME_NAMES } from '../runtime/index.ts'
import { anySchemeNameSchema } from '../scheme-name.ts'
import { MAX_VERSION } from './limits.ts'

const counterSchema = z.number().int().positive().max(MAX_VERSION)
export const classNameSchema = z.string().min(1).max(128)

/** After it a class's name says which native libraries its devices have. */
export const CLASS_SEPARATOR = '+'

/** The kind of device alone. */
export function baseClass(className: string): string {
  return className.split(CLASS_SEPARATOR)[0] ?? className
}

/** What both repositories must say alike about a variant, beside path, length and digest. */
const describedSchema = z.object({
  model: modelNameSchema,
  /** In whose name the file is released: whatever takes its format runs it. Unknown names are refused, not misread. */
  runtime: openWord(RUNTIME_NAMES),
  scheme: anySchemeNameSchema,
  /** Grows with every release of the model; variants of one release share it. A device never goes back. */
  releaseCounter: counterSchema,
  blockList: digestSchema,
  /** Golden inputs and expected outputs. */
  selfTest: artifactRefSchema.nullable(),
  /** Of the model the file was built from; planners before 0.2 do not say it. */
  revision: counterSchema.optional(),
  /** Names of the model's classes, a line each. */
  labels: artifactRefSchema.optional(),
  /** What inputs and outputs look like over the data that the variant was made and tested with (shared/sketch). */
  sketch: artifactRefSchema.optional(),
})

/** `custom` of a target in the image repository. */
export const imageCustomSchema = describedSchema.extend({
  /** Classes of devices it was released for. */
  classes: z.array(classNameSchema).min(1).max(256),
})
export type ImageCustom = z.infer<typeof imageCustomSchema>

/** In what of its own a device shall run a variant: a choice among what it has, so the director alone says it. */
export const directedEngineSchema = z.object({
  runtime: openWord(RUNTIME_NAMES),
  /** A delegate's or a device's name; null: the processor alone. */
  accelerator: z.string().min(1).max(64).nullable(),
  /** As many as it was measured with. */
  threads: z.number().int().min(1).max(64).optional(),
  /** Processors it was measured on, where it was kept to some. */
  cores: z.array(z.number().int().min(0).max(4095)).min(1).max(256).optional(),
})
export type DirectedEngine = z.infer<typeof directedEngineSchema>

/** `custom` of a target in the director repository. */
export const directorCustomSchema = describedSchema.extend({
  class: classNameSchema,
  /** Grows with every assignment of this model to this device. */
  counter: counterSchema,
  /** Absent: the runtime in whose name the file was released. */
  engine: directedEngineSchema.optional(),
})
export type DirectorCustom = z.infer<typeof directorCustomSchema>

/** `custom` of a package of a runtime, in both repositories. What kind it is of is signed, too: neither passes for the other. */
export const imagePackageSchema = z.object({
  kind: z.literal('runtime'),
  /** `packageName(runtime)`, in the place where a variant names its model. */
  model: modelNameSchema,
  runtime: openWord(RUNTIME_NAMES),
  version: wordSchema,
  /** As Node names architectures. */
  architecture: wordSchema,
  /** Grows with every release of the runtime; packages of one release share it. A device never goes back. */
  releaseCounter: counterSchema,
  blockList: digestSchema,
})
export type ImagePackage = z.infer<typeof imagePackageSchema>

export const directorPackageSchema = imagePackageSchema.extend({
  /** Grows with every assignment of this runtime to this device. */
  counter: counterSchema,
})
export type DirectorPackage = z.infer<typeof directorPackageSchema>

/** What a `custom` claims to be, before it is parsed as that. */
export function isOfPackage(custom: unknown): boolean {
  return fieldOf(custom, 'kind') === 'runtime'
}

/**
 * Field `fitment` of the director's timestamp, snapshot and targets: without it, what was signed for
 * one device (an empty assignment, too) could be replayed to another, or run its versions up.
 */
export const statementSchema = z.object({
  device: deviceIdSchema,
  /** Not before this moment: a device's clock is held to it. */
  issuedAt: z.iso.datetime(),
})
export type Statement = z.infer<typeof statementSchema>
export const STATEMENT_FIELD = 'fitment'
