import { z } from 'zod'

/**
 * hawkBit's Direct Device Integration API, as far as a device needs it. Source: eclipse-hawkbit/hawkbit, `hawkbit-ddi-api`
 * (`DdiRootControllerRestApi` and its models). Fields that are not named here are let be.
 */
const linkSchema = z.object({ href: z.string().max(4096) })

/** `GET /{tenant}/controller/v1/{controllerId}` */
export const baseSchema = z.object({
  config: z.object({ polling: z.object({ sleep: z.string().max(16) }).optional() }).optional(),
  _links: z
    .object({
      deploymentBase: linkSchema.optional(),
      cancelAction: linkSchema.optional(),
      configData: linkSchema.optional(),
      confirmationBase: linkSchema.optional(),
    })
    .default({}),
})

export const artifactSchema = z.object({
  filename: z.string().max(1024),
  hashes: z.object({ sha256: z.string().max(128).optional() }),
  size: z.number().int().nonnegative(),
  _links: z.object({ download: linkSchema.optional(), 'download-http': linkSchema.optional() }),
})
export type DdiArtifact = z.infer<typeof artifactSchema>

const HANDLING = ['skip', 'attempt', 'forced'] as const

/** `GET …/deploymentBase/{actionId}` */
export const deploymentSchema = z.object({
  id: z.string().max(64),
  deployment: z.object({
    download: z.enum(HANDLING).default('forced'),
    update: z.enum(HANDLING).default('forced'),
    maintenanceWindow: z.enum(['available', 'unavailable']).optional(),
    chunks: z
      .array(
        z.object({
          part: z.string().max(256),
          name: z.string().max(1024),
          version: z.string().max(256),
          artifacts: z.array(artifactSchema).max(1024).default([]),
        }),
      )
      .max(1024),
  }),
})
export type Deployment = z.infer<typeof deploymentSchema>

/** `GET …/cancelAction/{actionId}` */
export const cancelSchema = z.object({ cancelAction: z.object({ stopId: z.string().max(64) }) })

/** `status.execution` of a feedback. */
export type Execution = 'download' | 'downloaded' | 'proceeding' | 'closed' | 'rejected'
export type Finished = 'success' | 'failure' | 'none'

export function feedback(execution: Execution, finished: Finished, details: readonly string[]) {
  return { status: { execution, result: { finished }, details } }
}

/** `00:05:00`, in ms; a minute where it is none. */
export function sleepMs(text: string | undefined): number {
  const [, hours, minutes, seconds] = /^(\d{1,3}):(\d{2}):(\d{2})$/.exec(text ?? '') ?? []
  if (hours === undefined) return 60_000
  const sum = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
  return Math.min(86_400, Math.max(1, sum)) * 1000
}
