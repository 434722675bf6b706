import type { Installable, TrustedAssignment, TrustedPackage } from '../../agent/trust/index.ts'
import { isPackage } from '../../agent/trust/index.ts'
import { directorFiles } from '../../planner/trust/director.ts'
import {
  delegatingDocument,
  type MetaEntries,
  modelDocument,
  type Released,
  type ReleasedPackage,
  type ReleasedVariant,
  rootDocument,
  type SignedDocument,
  snapshotDocument,
  timestampDocument,
} from '../../planner/trust/documents.ts'
import { signProbe } from '../../planner/trust/signed-probe.ts'
import { newId } from '../../shared/ids.ts'
import type { ArtifactRef, OrderOf, SaidProbe, VouchedProbe } from '../../shared/messages/index.ts'
import { generateKeyPair, type SigningKey } from '../../shared/signatures/index.ts'
import {
  anchorDigest,
  metadataFile,
  modelRole,
  type Offer,
  parseMetadata,
  printMetadata,
  signerOf,
} from '../../shared/trust/index.ts'

/**
 * Both repositories as a planner would sign them, in memory: every order releases its variant and directs
 * its device to it.
 */
const KEYS = {
  root: generateKeyPair(),
  release: generateKeyPair(),
  director: generateKeyPair(),
  publisher: generateKeyPair(),
}
const DAY_MS = 86_400_000
const FAR = new Date(Math.ceil(Date.now() / 1000) * 1000 + 3650 * DAY_MS)
  .toISOString()
  .replace('.000Z', 'Z')

const by = (name: keyof typeof KEYS) => ({ keys: [KEYS[name].trusted], threshold: 1 })
const ROOTS = {
  director: rootOf(by('director'), by('director')),
  image: rootOf(by('release'), by('publisher')),
}
/** What devices in these tests are set up with. */
export const ANCHOR = anchorDigest({ v: 1, ...ROOTS })

const releases = new Map<string, Released>()
let version = 0

export type AssignmentDraft = Partial<TrustedAssignment> & { readonly artifact: ArtifactRef }

export function assignmentOf(draft: AssignmentDraft): TrustedAssignment {
  return {
    device: 'd1',
    model: 'motor',
    variant: draft.artifact.digest,
    runtime: 'litert',
    scheme: 'float32',
    class: 'generic-x86-64',
    counter: 1,
    releaseCounter: 1,
    selfTest: null,
    issuedAt: new Date(Date.now() - 1_000).toISOString(),
    expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
    ...draft,
  }
}

export interface OrderChanges {
  readonly id?: string
  /** Who signs for the director. */
  readonly key?: SigningKey
  /** What was released, where it is not what is assigned. */
  readonly released?: Partial<ReleasedVariant>
  /** What the director assigns beside. */
  readonly also?: AssignmentDraft
  /** Version that the director gives its files. */
  readonly says?: number
}

export function assignOrder(draft: AssignmentDraft, changes: OrderChanges = {}): OrderOf<'assign'> {
  const { id = newId(), key = KEYS.director, released = {}, also } = changes
  const assignment = assignmentOf(draft)
  const { model, variant } = assignment
  version += 1
  const assigned = [assignment, ...(also ? [assignmentOf(also)] : [])]
  for (const each of assigned) {
    releases.set(each.model, { ...described(each), classes: [each.class], ...released })
  }
  const offer = { director: direct(assigned, key, changes.says ?? version), image: imageFiles() }
  return { v: 1, id, kind: 'assign', model, variant, offer, image: null }
}

export type PackageDraft = Partial<TrustedPackage> & { readonly artifact: ArtifactRef }

/** The same for a package of a runtime. */
export function packageOrder(
  draft: PackageDraft,
  { id = newId(), released = {} }: { id?: string; released?: Partial<ReleasedPackage> } = {},
): OrderOf<'assign'> {
  const { issuedAt, expiresAt } = assignmentOf(draft as AssignmentDraft)
  const assignment: TrustedPackage = {
    kind: 'runtime',
    device: 'd1',
    model: 'runtime.tflite',
    variant: draft.artifact.digest,
    runtime: 'tflite',
    version: '1.0',
    architecture: process.arch,
    counter: 1,
    releaseCounter: 1,
    selfTest: null,
    issuedAt,
    expiresAt,
    ...draft,
  }
  const { model, variant } = assignment
  version += 1
  releases.set(model, { ...describedPackage(assignment), ...released })
  const offer = { director: direct([assignment], KEYS.director, version), image: imageFiles() }
  return { v: 1, id, kind: 'assign', model, variant, offer, image: null }
}

export interface ProbeChanges {
  readonly device?: string
  /** Who signs for the director. */
  readonly keys?: readonly SigningKey[]
  readonly issuedAt?: Date
}

export function vouchedProbe(order: SaidProbe, changes: ProbeChanges = {}): VouchedProbe {
  const { device = 'd1', keys = [KEYS.director], issuedAt = new Date() } = changes
  const { v, id, kind, model, variant } = order
  const roots = {
    director: { '1.root.json': ROOTS.director },
    image: { '1.root.json': ROOTS.image },
  }
  const vouched = signProbe(device, order, keys, { issuedAt, days: 1 })
  return { v, id, kind, model, variant, roots, vouched }
}

/** For what must not be signed with it. */
export const PUBLISHER = KEYS.publisher

function described({ artifact, ...assignment }: TrustedAssignment) {
  const { model, runtime, scheme, releaseCounter, selfTest, sketch } = assignment
  const { digest, bytes, blockList } = artifact
  const facts = { model, runtime, scheme, releaseCounter, selfTest, digest, bytes, blockList }
  return { ...facts, ...(sketch && { sketch }) }
}

function describedPackage({ artifact, ...assignment }: TrustedPackage) {
  const { kind, model, runtime, version: built, architecture, releaseCounter } = assignment
  const { digest, bytes, blockList } = artifact
  return {
    kind,
    model,
    runtime,
    version: built,
    architecture,
    releaseCounter,
    digest,
    bytes,
    blockList,
  }
}

function direct(
  assigned: readonly Installable[],
  key: SigningKey,
  says: number,
): Offer['director'] {
  const [first] = assigned
  if (!first) throw new Error('nothing is assigned')
  const { device, issuedAt, expiresAt } = first
  const at = new Date(issuedAt)
  const direction = {
    device,
    version: says,
    variants: assigned.map((each) =>
      isPackage(each)
        ? { ...describedPackage(each), counter: each.counter }
        : { ...described(each), class: each.class, counter: each.counter },
    ),
    issuedAt: at,
    days: (new Date(expiresAt).getTime() - at.getTime()) / DAY_MS,
  }
  const believing =
    key === KEYS.director
      ? ROOTS.director
      : rootOf({ keys: [key.trusted], threshold: 1 }, { keys: [key.trusted], threshold: 1 })
  const files = directorFiles(direction, [key], parseMetadata('root', Buffer.from(believing)))
  return { '1.root.json': ROOTS.director, ...files }
}

function imageFiles(): Offer['image'] {
  const models = [...releases.keys()]
  const roles = [
    { role: 'targets', document: delegatingDocument(version, FAR, models, by('release')) },
    ...[...releases].map(([model, variant]) => ({
      role: modelRole(model),
      document: modelDocument(version, FAR, [variant]),
    })),
  ]
  const files: Record<string, string> = { '1.root.json': ROOTS.image }
  const meta: Record<string, MetaEntries[string]> = {}
  for (const { role, document } of roles) {
    const bytes = signed(document, KEYS.release)
    files[metadataFile(role, version)] = bytes.toString()
    meta[`${role}.json`] = { version, bytes }
  }
  const snapshot = signed(snapshotDocument(version, FAR, meta), KEYS.publisher)
  files[metadataFile('snapshot', version)] = snapshot.toString()
  const named = { 'snapshot.json': { version, bytes: snapshot } }
  files['timestamp.json'] = signed(
    timestampDocument(version, FAR, named),
    KEYS.publisher,
  ).toString()
  return files
}

type Policy = ReturnType<typeof by>

function rootOf(targets: Policy, online: Policy): string {
  const policy = { root: by('root'), targets, snapshot: online, timestamp: online }
  return signed(rootDocument(1, FAR, policy), KEYS.root).toString()
}

function signed(document: SignedDocument, key: SigningKey): Buffer {
  const bytes = Buffer.from(JSON.stringify({ signed: document, signatures: [] }))
  const metadata = parseMetadata(document._type, bytes)
  metadata.sign(signerOf(key))
  return printMetadata(metadata)
}
