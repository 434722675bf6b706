import { z } from 'zod'

/** What others are told of by webhooks, and what each says. The envelope around them is `eventSchema`. */
export const EVENT_DATA = {
  'device.joined': z.object({ device: z.string() }),
  /** More than one machine uses its identity. */
  'device.double': z.object({ device: z.string() }),
  'device.retired': z.object({ device: z.string(), by: z.string(), reason: z.string() }),
  'device.reinstated': z.object({ device: z.string(), by: z.string() }),
  'device.revoked': z.object({ device: z.string(), by: z.string(), reason: z.string() }),
  'device.removed': z.object({ device: z.string(), by: z.string(), reason: z.string() }),
  'model.added': z.object({ model: z.string(), revision: z.number().nullable(), by: z.string() }),
  'model.removed': z.object({ model: z.string(), by: z.string() }),
  /** An operator wants a revision on devices: a rollout, or a return. */
  'rollout.asked': z.object({
    model: z.string(),
    revision: z.number().nullable(),
    back: z.boolean(),
    by: z.string(),
  }),
  /** The rollout of one class is in another state or wave. */
  'rollout.moved': z.object({
    model: z.string(),
    class: z.string(),
    event: z.string(),
    from: z.string(),
    to: z.string(),
    /** Counted from 1. */
    wave: z.number(),
    reason: z.string(),
    by: z.string(),
  }),
  'alarm.raised': z.object({
    model: z.string(),
    device: z.string(),
    rule: z.string(),
    evidence: z.string(),
  }),
  'alarm.cleared': z.object({
    model: z.string(),
    device: z.string(),
    rule: z.string(),
    evidence: z.string(),
  }),
  /** Metadata waits for signatures: nothing of it ships before. */
  'release.waiting': z.object({ batch: z.string(), what: z.string() }),
} as const satisfies Record<string, z.ZodObject>

export type EventKind = keyof typeof EVENT_DATA
export const EVENT_KINDS = Object.keys(EVENT_DATA) as [EventKind, ...EventKind[]]

/** One webhook's body. */
export const eventSchema = z.object({
  v: z.literal(1),
  /** The same whenever it is sent again. */
  id: z.string(),
  kind: z.enum(EVENT_KINDS),
  fleet: z.string(),
  /** By the planner's clock. */
  at: z.string(),
  data: z.record(z.string(), z.unknown()),
})

/** The same of one kind, as `shared/messages/payloads.yaml` has it. */
export function eventOfKind(kind: EventKind) {
  return eventSchema.extend({ kind: z.literal(kind), data: EVENT_DATA[kind] })
}
export type FleetEvent = z.infer<typeof eventSchema>
