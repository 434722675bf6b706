import { z } from 'zod'
import { modelNameSchema } from '../../../shared/ids.ts'

export const tag = z.string().regex(/^[A-Za-z][\w.-]{0,31}$/)
/** By its number, or by a tag: no digit first. */
export const revisionName = z.union([z.number().int().positive(), tag])

export const model = z.object({ model: modelNameSchema })
export const ofRevision = model.extend({ revision: revisionName.optional() })
export const ofModel = z.object({ model: modelNameSchema.optional() })
