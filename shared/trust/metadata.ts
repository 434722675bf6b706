import {
  Metadata,
  MetadataKind,
  type Root,
  type Snapshot,
  type Targets,
  type Timestamp,
} from '@tufjs/models'
import { z } from 'zod'
import { messageOf } from '../errors.ts'
import { parseJsonText } from '../json.ts'
import { TrustError } from './errors.ts'
import { MAX_ENTRIES, MAX_VERSION } from './limits.ts'
import type { TopRole } from './names.ts'

export interface SignedKinds {
  root: Root
  timestamp: Timestamp
  snapshot: Snapshot
  targets: Targets
}
export type MetadataOf<K extends TopRole> = Metadata<SignedKinds[K]>

const READERS: { readonly [K in TopRole]: (data: MetadataJson) => MetadataOf<K> } = {
  root: (data) => Metadata.fromJSON(MetadataKind.Root, data),
  timestamp: (data) => Metadata.fromJSON(MetadataKind.Timestamp, data),
  snapshot: (data) => Metadata.fromJSON(MetadataKind.Snapshot, data),
  targets: (data) => Metadata.fromJSON(MetadataKind.Targets, data),
}
/** What `Metadata.fromJSON` takes; it checks the shape itself. */
type MetadataJson = Parameters<typeof Metadata.fromJSON>[1]

/**
 * Bytes → TUF metadata of this kind, nothing of it believed yet. Closes what @tufjs/models leaves
 * open: versions that are no counting numbers, an expiry that is no date (it would never expire), and
 * maps so large that reading them takes minutes.
 * @throws TrustError `malformed-metadata`, `fast-forward`
 */
export function parseMetadata<K extends TopRole>(kind: K, bytes: Uint8Array): MetadataOf<K> {
  const json = parseJsonText(bytes)
  if (!json.ok) throw malformed(kind, json.code)
  const envelope = envelopeSchema.safeParse(json.value)
  if (!envelope.success)
    throw malformed(kind, z.prettifyError(envelope.error).split('\n').join(' '))
  const { version } = envelope.data.signed
  if (version > MAX_VERSION) {
    throw new TrustError(
      'fast-forward',
      `${kind} metadata has version ${version}: no honest one could follow it`,
    )
  }
  try {
    const metadata = READERS[kind](json.value as MetadataJson)
    checkKeys(metadata.signed)
    return metadata
  } catch (error) {
    throw error instanceof TrustError ? error : malformed(kind, messageOf(error), error)
  }
}

export function printMetadata(metadata: MetadataOf<TopRole>): Buffer {
  return Buffer.from(JSON.stringify(metadata.toJSON()))
}

const few = <T extends z.ZodType>(value: T) =>
  z
    .record(z.string(), value)
    .refine((map) => Object.keys(map).length <= MAX_ENTRIES, 'too many entries')
const counting = z.number().int().positive()
const versionedSchema = z.looseObject({ version: counting.max(MAX_VERSION) })
const roleSchema = z.looseObject({
  keyids: z.array(z.string()).max(MAX_ENTRIES),
  threshold: counting,
})

const envelopeSchema = z.looseObject({
  signatures: z.array(z.unknown()).max(256),
  signed: z.looseObject({
    version: counting,
    expires: z.iso.datetime(),
    keys: few(z.unknown()).optional(),
    roles: few(roleSchema).optional(),
    meta: few(versionedSchema).optional(),
    targets: few(z.looseObject({ length: z.number().int().nonnegative() })).optional(),
    delegations: z
      .looseObject({
        keys: few(z.unknown()),
        roles: z.array(roleSchema).max(MAX_ENTRIES).optional(),
        succinct_roles: roleSchema.optional(),
      })
      .optional(),
  }),
})

/** One key under two names must not count twice towards a threshold. */
function checkKeys(signed: SignedKinds[TopRole]): void {
  const source =
    'roles' in signed ? signed : 'delegations' in signed ? signed.delegations : undefined
  if (!source) return
  const roles = [...Object.values(source.roles ?? {})]
  if ('succinctRoles' in source && source.succinctRoles) roles.push(source.succinctRoles)
  for (const { keyIDs } of roles) {
    const values = keyIDs.flatMap((id) => source.keys[id]?.keyVal.public ?? [])
    if (new Set(values).size < values.length) {
      throw new TrustError('malformed-metadata', 'a role lists one key under two names')
    }
  }
}

function malformed(kind: TopRole, reason: string, cause?: unknown): TrustError {
  return new TrustError('malformed-metadata', `not ${kind} metadata: ${reason}`, {}, { cause })
}
