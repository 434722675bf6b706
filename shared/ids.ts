import { randomUUID } from 'node:crypto'
import { z } from 'zod'

/** Names that appear in topics and paths: no `/ + # $`, no dots first, at most 64 characters. */
export const nameSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/,
    'must be 1 to 64 letters, digits, _ . - and begin with none of the last two',
  )

export const fleetSchema = nameSchema
export const deviceIdSchema = nameSchema
export const modelNameSchema = nameSchema
export const messageIdSchema = z.string().min(1).max(64)

export type DeviceId = z.infer<typeof deviceIdSchema>

export function newId(): string {
  return randomUUID()
}
