import { z } from 'zod'
import { AUTHORITY_FILES, IDENTITY_FOLDER } from '../identity/index.ts'

export const FILES = {
  manifest: 'backup.json',
  database: 'fitment.db',
  restored: 'restored.json',
  /** Digests of all that is in it. */
  sums: 'SHA256SUMS',
} as const

/** Files of a data directory beside its database, its artifacts and its trust. The server's certificate is made anew. */
export const PARTS = {
  plain: [`${IDENTITY_FOLDER}/${AUTHORITY_FILES.certificate}`],
  secret: [`${IDENTITY_FOLDER}/${AUTHORITY_FILES.key}`, 'broker-secret'],
} as const

export const manifestSchema = z.object({
  v: z.literal(1),
  version: z.string(),
  madeAt: z.iso.datetime(),
  /** `elsewhere`: PostgreSQL, which has backups of its own. */
  database: z.enum(['embedded', 'elsewhere']),
  /** `s3://…` where artifacts are not in it: a bucket has backups of its own. */
  artifacts: z.string().optional(),
  /** The member that holds the digests of the others; backups of before have none. */
  sums: z.string().optional(),
})
export type Manifest = z.infer<typeof manifestSchema>

/** Left for the first planner that runs on restored data. */
export const restoredSchema = z.object({
  v: z.literal(1),
  madeAt: z.string(),
  restoredAt: z.string(),
})
export type Restored = z.infer<typeof restoredSchema>
