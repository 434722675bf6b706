import { z } from 'zod'
import { deviceIdSchema, fleetSchema, messageIdSchema } from '../ids.ts'
import { parseJsonText } from '../json.ts'
import { signedSchema } from '../signatures/index.ts'
import { refusalSchema } from './reports.ts'

/** What a device asks a certificate for; `payload` of both requests holds it as JSON. */
export const certificateWishSchema = z.object({
  fleet: fleetSchema,
  device: deviceIdSchema,
  /** PKCS #10 (RFC 2986), DER in base64. */
  csr: z.string().max(4096),
})
export type CertificateWish = z.infer<typeof certificateWishSchema>

/** By a join token: the wish is signed with the key that the token's secret stands for; `keyId` names the token. */
export const joinWithTokenSchema = z.object({
  v: z.literal(1),
  id: messageIdSchema,
  kind: z.literal('join'),
  signed: signedSchema,
  /** By the operator's own authority, where the token asks for it: what the device was made with speaks for it too. */
  endorsement: z
    .object({
      /** The device's certificate, then those that lead to the authority; DER in base64. */
      certificates: z.array(z.string().max(4096)).min(1).max(4),
      /** Over `payload` of `signed`, by the device's key. */
      signature: z.string().max(1024),
    })
    .optional(),
})

/** By the certificate a device has: the wish is signed with that certificate's key. */
export const renewCertificateSchema = z.object({
  v: z.literal(1),
  id: messageIdSchema,
  kind: z.literal('renew'),
  /** DER in base64. */
  certificate: z.string().max(4096),
  payload: z.string().max(8192),
  /** ECDSA P-256 with SHA-256, IEEE P1363, base64. */
  signature: z.string().max(128),
})

/** agent → planner. */
export const joinRequestSchema = z.discriminatedUnion('kind', [
  joinWithTokenSchema,
  renewCertificateSchema,
])
export type JoinRequest = z.infer<typeof joinRequestSchema>

export const joinIssuedSchema = z.object({
  v: z.literal(1),
  /** Id of the request. */
  request: messageIdSchema,
  outcome: z.literal('issued'),
  /** DER in base64. */
  certificate: z.string().max(4096),
  /** `mqtts://host:port` to connect to from here on; absent: where it was asked for. */
  broker: z.string().max(300).optional(),
})

export const joinRefusedSchema = z.object({
  v: z.literal(1),
  request: messageIdSchema,
  outcome: z.literal('refused'),
  error: refusalSchema,
})

/** planner → agent. */
export const joinAnswerSchema = z.discriminatedUnion('outcome', [
  joinIssuedSchema,
  joinRefusedSchema,
])
export type JoinAnswer = z.infer<typeof joinAnswerSchema>

/** Largest payload of either, bytes: fits the frame that a broker takes from whom it does not know. */
export const MAX_JOIN_BYTES = 14 * 1024

/** `undefined` for bytes that are none. Never throws. */
export function parseJoinRequest(bytes: Uint8Array): JoinRequest | undefined {
  return parsed(joinRequestSchema, bytes)
}

export function parseJoinAnswer(bytes: Uint8Array): JoinAnswer | undefined {
  return parsed(joinAnswerSchema, bytes)
}

function parsed<T>(schema: z.ZodType<T>, bytes: Uint8Array): T | undefined {
  const text = bytes.length <= MAX_JOIN_BYTES ? parseJsonText(bytes) : undefined
  return text?.ok ? schema.safeParse(text.value).data : undefined
}
