import { Metadata, MetadataKind, Signature } from '@tufjs/models'
import { z } from 'zod'
import { digestOf } from '../../shared/digest.ts'
import type { SigningKey } from '../../shared/signatures/index.ts'
import {
  type MetadataOf,
  metadataFile,
  parseMetadata,
  printMetadata,
  REPOSITORIES,
  signerOf,
  TOP_ROLES,
  type TopRole,
  tufKeyId,
} from '../../shared/trust/index.ts'
import type { SignedDocument } from './documents.ts'
import { KeysError } from './errors.ts'
import { parseKeysFile } from './parse-keys-file.ts'

const tufKeySchema = z.object({
  keytype: z.literal('ed25519'),
  keyval: z.object({ public: z.string().regex(/^[0-9a-f]{64}$/) }),
  scheme: z.literal('ed25519'),
})
const requirementSchema = z.object({
  /** Why these keys: shown to who signs. */
  reason: z.string().max(200),
  keys: z.record(z.string(), tufKeySchema),
  threshold: z.number().int().positive(),
})
export type Requirement = z.infer<typeof requirementSchema>

/**
 * Metadata that waits for signatures. A file to carry to the machine where a key lies; what comes
 * back is a `signaturesSchema`.
 */
export const signingRequestSchema = z.object({
  v: z.literal(1),
  repository: z.enum(REPOSITORIES),
  role: z.string().max(128),
  kind: z.enum(TOP_ROLES),
  /** All of them must be met. */
  requirements: z.array(requirementSchema).min(1),
  /** The metadata with the signatures so far, as JSON text. */
  metadata: z.string(),
})
export type SigningRequest = z.infer<typeof signingRequestSchema>

export const signaturesSchema = z.object({
  v: z.literal(1),
  /** Which request: digest of what was signed. */
  signed: z.string(),
  signatures: z.array(z.object({ keyid: z.string(), sig: z.string().regex(/^[0-9a-f]{128}$/) })),
})
export type Signatures = z.infer<typeof signaturesSchema>

export interface RequestInput {
  readonly repository: SigningRequest['repository']
  readonly role: string
  readonly document: SignedDocument
  readonly requirements: readonly Requirement[]
}

export function requestFor(input: RequestInput): SigningRequest {
  const { repository, role, document, requirements } = input
  const bytes = Buffer.from(JSON.stringify({ signed: document, signatures: [] }))
  const metadata = parseMetadata(document._type, bytes)
  return {
    v: 1,
    repository,
    role,
    kind: document._type,
    requirements: [...requirements],
    metadata: printMetadata(metadata).toString(),
  }
}

/** @throws KeysError `malformed-request` */
export function parseRequest(text: string): SigningRequest {
  return parseKeysFile(signingRequestSchema, text, 'a signing request')
}

/** @throws KeysError `malformed-request` */
export function parseSignatures(text: string): Signatures {
  return parseKeysFile(signaturesSchema, text, 'a file of signatures')
}

/** On the machine where the keys lie: signs with those that are asked for. */
export function signRequest(request: SigningRequest, keys: readonly SigningKey[]): Signatures {
  const asked = keyIdsOf(request)
  const metadata = metadataOf(request)
  metadata.signatures = {}
  for (const key of keys) {
    if (asked.includes(tufKeyId(key.trusted))) metadata.sign(signerOf(key))
  }
  const signatures = Object.values(metadata.signatures)
  return {
    v: 1,
    signed: signedDigest(request),
    signatures: signatures.map(({ keyID, sig }) => ({ keyid: keyID, sig })),
  }
}

/** Back home: the request with these signatures, each verified. @throws KeysError `malformed-request`, `bad-signature` */
export function withSignatures(request: SigningRequest, came: Signatures): SigningRequest {
  if (came.signed !== signedDigest(request)) {
    throw new KeysError('malformed-request', 'these signatures belong to another request')
  }
  const metadata = metadataOf(request)
  for (const { keyid, sig } of came.signatures) {
    metadata.signatures[keyid] = new Signature({ keyID: keyid, sig })
    const asked = request.requirements.some(
      ({ keys }) => keys[keyid] && countSigned(metadata, { [keyid]: keys[keyid] }) === 1,
    )
    if (!asked) {
      throw new KeysError(
        'bad-signature',
        `key ${keyid.slice(0, 12)} is not asked for, or its signature does not fit`,
      )
    }
  }
  return { ...request, metadata: printMetadata(metadata).toString() }
}

/** What each requirement still lacks; empty when the metadata may be published. */
export function missingSignatures(
  request: SigningRequest,
): { reason: string; missing: number; of: string[] }[] {
  const metadata = metadataOf(request)
  return request.requirements.flatMap(({ reason, keys, threshold }) => {
    const missing = threshold - countSigned(metadata, keys)
    const of = Object.keys(keys).filter(
      (id) => countSigned(metadata, { [id]: keys[id] as TufKeyJson }) === 0,
    )
    return missing > 0 ? [{ reason, missing, of }] : []
  })
}

/** The file as it is published. @throws KeysError `threshold-not-met` */
export function completed(request: SigningRequest): {
  file: string
  bytes: Buffer
  version: number
} {
  const [lacking] = missingSignatures(request)
  if (lacking) {
    throw new KeysError(
      'threshold-not-met',
      `${request.role} of ${request.repository} still lacks ${lacking.missing} signature(s) of ${lacking.reason}`,
      { missing: lacking.of },
    )
  }
  const metadata = metadataOf(request)
  const { version } = metadata.signed
  return { file: metadataFile(request.role, version), bytes: printMetadata(metadata), version }
}

/** Everyone who may sign it. */
export function keyIdsOf(request: SigningRequest): string[] {
  return [...new Set(request.requirements.flatMap(({ keys }) => Object.keys(keys)))]
}

/** For who signs: what this is, in lines to compare. */
export function describeRequest(request: SigningRequest): string[] {
  const { signed } = metadataOf(request)
  return [
    `${request.repository} repository, role ${request.role}, version ${signed.version}, expires ${signed.expires}`,
    `digest ${signedDigest(request)}`,
    ...missingSignatures(request).map(
      ({ reason, missing }) => `needs ${missing} signature(s) of ${reason}`,
    ),
    ...(request.kind === 'targets' && 'targets' in signed
      ? Object.keys(signed.targets).map((path) => `releases ${path}`)
      : []),
  ]
}

type TufKeyJson = z.infer<typeof tufKeySchema>

/** How many of these keys signed: by the library's own rule, through a root that asks for them. */
function countSigned(
  metadata: MetadataOf<TopRole>,
  keys: Readonly<Record<string, TufKeyJson>>,
): number {
  const role = { keyids: [], threshold: 1 }
  return Object.entries(keys).filter(([id, key]) => {
    const roles = {
      root: role,
      timestamp: role,
      snapshot: role,
      targets: { keyids: [id], threshold: 1 },
    }
    const signed = {
      _type: 'root',
      spec_version: '1.0.31',
      version: 1,
      expires: '2000-01-01T00:00:00Z',
    }
    const root = Metadata.fromJSON(MetadataKind.Root, {
      signatures: [],
      signed: { ...signed, consistent_snapshot: true, keys: { [id]: key }, roles },
    })
    try {
      root.verifyDelegate('targets', metadata)
      return true
    } catch {
      return false
    }
  }).length
}

function metadataOf(request: SigningRequest): MetadataOf<TopRole> {
  return parseMetadata(request.kind, Buffer.from(request.metadata))
}

function signedDigest(request: SigningRequest): string {
  return digestOf(JSON.stringify(metadataOf(request).signed.toJSON()))
}
