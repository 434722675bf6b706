import { z } from 'zod'

/**
 * A signed payload: the signature covers exactly the bytes of `payload`, so nothing depends on how
 * JSON is printed. Ed25519, RFC 8032; `keyId` is the SHA-256 of the raw public key.
 */
export const signedSchema = z.object({
  payload: z.string().max(16_384),
  keyId: z.string().regex(/^[0-9a-f]{64}$/),
  /** Base64, 64 bytes. */
  signature: z.string().max(128),
})
export type Signed = z.infer<typeof signedSchema>

/** A payload that several keys may vouch for, each as in `Signed`. */
export const vouchedSchema = z.object({
  payload: signedSchema.shape.payload,
  signatures: z.array(signedSchema.omit({ payload: true })).max(16),
})
export type Vouched = z.infer<typeof vouchedSchema>
