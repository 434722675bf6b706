import { z } from 'zod'

const known = z.number().nullable()

/** How a model does on one device: its newest window. */
export const deviceHealthSchema = z.object({
  device: z.string(),
  class: z.string().nullable(),
  online: z.boolean(),
  variant: z.string(),
  scheme: z.string().nullable(),
  revision: known,
  inferences: z.number(),
  drift: known,
  /** What is furthest from the reference, for people. */
  worst: z.array(
    z.object({
      name: z.string(),
      psi: z.number(),
      drift: z.number(),
      ks: known,
      ksP: known,
      samples: z.tuple([z.number(), z.number()]),
    }),
  ),
  p50Ms: known,
  p95Ms: known,
  p99Ms: known,
  /** Against the probe of the same device, else of its class. */
  p95Ratio: known,
  notFinite: known,
  /** Inferences that were of another model or variant. */
  foreign: z.number(),
  hottestCelsius: known,
  throttled: known,
  availableBytes: known,
  restarts: z.number(),
  check: z.object({ at: z.string(), ok: z.boolean(), detail: z.string(), p50Ms: known }).nullable(),
  /** By the planner's clock. */
  receivedAt: z.string(),
  /** The device's clock less the planner's when the window came, seconds. */
  clockOffS: z.number(),
})
export type DeviceHealth = z.infer<typeof deviceHealthSchema>

export const healthViewSchema = z.object({
  model: z.string(),
  devices: z.array(deviceHealthSchema),
  /** Days in UTC by the planner's clock, all devices of a variant together. */
  days: z.array(
    z.object({
      day: z.string(),
      variant: z.string(),
      scheme: z.string().nullable(),
      revision: known,
      devices: z.number(),
      inferences: z.number(),
      drift: known,
      worst: z.string().nullable(),
      p50Ms: known,
      p95Ms: known,
      p99Ms: known,
      hottestCelsius: known,
    }),
  ),
  /** Raised now. */
  alarms: z.number(),
})
export type HealthView = z.infer<typeof healthViewSchema>

export const alarmViewSchema = z.object({
  rule: z.string(),
  model: z.string(),
  /** Of what the device runs now. */
  revision: known,
  device: z.string(),
  state: z.string(),
  evidence: z.string(),
  raisedAt: z.string().nullable(),
  clearedAt: z.string().nullable(),
  updatedAt: z.string(),
})
