import { randomUUID } from 'node:crypto'
import { z } from 'zod'

/** Names that appear in topics and paths: no `/ + # $`, no dots first, at most 64 characters. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/

export const nameSchema = z
  .string()
  .regex(NAME, 'must be 1 to 64 letters, digits, _ . - and begin with none of the last two')

/** The same without a schema: a topic is looked at several times for each message. */
export function isName(text: string): boolean {
  return NAME.test(text)
}

export const fleetSchema = nameSchema
export const deviceIdSchema = nameSchema
export const modelNameSchema = nameSchema
export const messageIdSchema = z.string().min(1).max(64)

export type DeviceId = z.infer<typeof deviceIdSchema>

export function newId(): string {
  return randomUUID()
}
