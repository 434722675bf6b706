import { z } from 'zod'
import { digestSchema } from './digest-schema.ts'

/** One piece of an artifact on the wire; the last one may be shorter. */
export const BLOCK_BYTES = 64 * 1024
export const MAX_ARTIFACT_BYTES = 2 ** 31

/**
 * Names bytes by content. `blockList` is the digest of the concatenated 32-byte SHA-256 digests of
 * the artifact's blocks: it is fetched first, as an artifact of its own, so that every block is
 * checked as it lands and no message grows with the artifact.
 */
export const artifactRefSchema = z.object({
  digest: digestSchema,
  bytes: z.number().int().positive().max(MAX_ARTIFACT_BYTES),
  blockList: digestSchema,
})
export type ArtifactRef = z.infer<typeof artifactRefSchema>

export function blockCount(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES)
}
