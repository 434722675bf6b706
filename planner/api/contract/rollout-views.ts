import { z } from 'zod'
import { openWord } from '../../../shared/open-words.ts'
import { healthGateSchema } from '../../health/index.ts'
import { gateSchema } from '../../rollout/index.ts'
import { TARGET_NAMES } from '../../targets/index.ts'

/** What it is and how far it came: the same size however many devices it has. */
export const rolloutHeadSchema = z.object({
  id: z.string(),
  model: z.string(),
  revision: z.number(),
  class: z.string(),
  state: z.string(),
  /** Counted from 1. */
  wave: z.number(),
  waves: z.string(),
  /** Which devices of the class it is for; null: all. */
  where: z.string().nullable(),
  scheme: z.string(),
  runtime: openWord(TARGET_NAMES),
  bytes: z.number(),
  reason: z.string(),
  why: z.string(),
  createdAt: z.string(),
  updatedAt: z.string(),
})
export type RolloutHead = z.infer<typeof rolloutHeadSchema>

/** A rollout by its numbers. */
export const rolloutSummarySchema = rolloutHeadSchema.extend({
  /** Members that are in one wave and one state. */
  counts: z.array(z.object({ wave: z.number(), state: z.string(), devices: z.number() })),
})
export type RolloutSummary = z.infer<typeof rolloutSummarySchema>

export const rolloutDetailSchema = rolloutSummarySchema.extend({
  approval: z.boolean(),
  revert: z.boolean(),
  gate: gateSchema,
  healthGate: healthGateSchema.nullable(),
  /** When a pause ends by itself. */
  pausedUntil: z.string().nullable(),
  /** Why devices failed, most first, each with one of them. */
  causes: z.array(z.object({ error: z.string(), devices: z.number(), example: z.string() })),
})
export type RolloutDetail = z.infer<typeof rolloutDetailSchema>

export const rolloutMemberSchema = z.object({
  device: z.string(),
  online: z.boolean(),
  wave: z.number(),
  state: z.string(),
  scheme: z.string().nullable(),
  /** Why it failed, or for which applications it waits. */
  error: z.string().nullable(),
  updatedAt: z.string(),
})
export type RolloutMember = z.infer<typeof rolloutMemberSchema>
