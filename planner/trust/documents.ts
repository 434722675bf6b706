import { digestOf } from '../../shared/digest.ts'
import type { RuntimeName } from '../../shared/runtime/index.ts'
import type { TrustedKey } from '../../shared/signatures/index.ts'
import {
  type ImageCustom,
  type ImagePackage,
  modelRole,
  packagePath,
  TOP_ROLES,
  type TopRole,
  type TufKey,
  targetPath,
  tufKeyId,
  tufKeyOf,
} from '../../shared/trust/index.ts'
import { KeysError } from './errors.ts'

/** The `signed` part of metadata, TUF 1.0 §4. JSON with whole numbers only: canonical JSON has no others. */
export type SignedDocument = {
  readonly _type: TopRole
  readonly spec_version: string
  readonly version: number
  readonly expires: string
  readonly [field: string]: unknown
}

/** Who may sign for a role, and how many of them it takes. */
export interface RolePolicy {
  readonly keys: readonly TrustedKey[]
  readonly threshold: number
}
export type RootPolicy = Readonly<Record<TopRole, RolePolicy>>

const SPEC_VERSION = '1.0.31'

function document(_type: TopRole, version: number, expires: string): SignedDocument {
  return { _type, spec_version: SPEC_VERSION, version, expires }
}

/** @throws KeysError `impossible-policy` */
export function rootDocument(version: number, expires: string, policy: RootPolicy): SignedDocument {
  for (const role of TOP_ROLES) checkPolicy(role, policy[role])
  const keys = TOP_ROLES.flatMap((role) => policy[role].keys)
  return {
    ...document('root', version, expires),
    consistent_snapshot: true,
    keys: keysById(keys),
    roles: Object.fromEntries(TOP_ROLES.map((role) => [role, roleOf(policy[role])])),
  }
}

/** A released variant, as the image repository names it. */
export interface ReleasedVariant extends ImageCustom {
  readonly runtime: RuntimeName
  readonly digest: string
  readonly bytes: number
}

/** A released package of a runtime. */
export interface ReleasedPackage extends ImagePackage {
  readonly digest: string
  readonly bytes: number
}

/** Whatever is released, and told apart by what is signed of it. */
export type Released = ReleasedVariant | ReleasedPackage

export function isReleasedPackage(released: Released): released is ReleasedPackage {
  return 'kind' in released
}

/** Targets of one role, by the path that both repositories name each by. */
export function targetsOf(
  described: readonly (PathFacts & { readonly digest: string; readonly bytes: number })[],
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    described.map(({ digest, bytes, ...custom }) => [
      pathOf(custom, digest),
      { length: bytes, hashes: { sha256: digest }, custom },
    ]),
  )
}

type PathFacts =
  | { readonly kind: 'runtime'; readonly model: string }
  | { readonly model: string; readonly runtime: RuntimeName }

function pathOf(facts: PathFacts, digest: string): string {
  return 'kind' in facts
    ? packagePath(facts.model, digest)
    : targetPath(facts.model, digest, facts.runtime)
}

/** Targets of one model's role. */
export function modelDocument(
  version: number,
  expires: string,
  released: readonly Released[],
): SignedDocument {
  return { ...document('targets', version, expires), targets: targetsOf(released) }
}

/** Top-level targets of the image repository: no targets of its own, one delegation per model. */
export function delegatingDocument(
  version: number,
  expires: string,
  models: readonly string[],
  policy: RolePolicy,
): SignedDocument {
  checkPolicy('targets', policy)
  return {
    ...document('targets', version, expires),
    targets: {},
    delegations: {
      keys: keysById(policy.keys),
      roles: models.map((model) => ({
        name: modelRole(model),
        ...roleOf(policy),
        terminating: true,
        paths: [`${model}/*`],
      })),
    },
  }
}

/** Version, length and digest of the files that belong together. */
export type MetaEntries = Readonly<Record<string, { version: number; bytes: Uint8Array }>>

export function snapshotDocument(
  version: number,
  expires: string,
  meta: MetaEntries,
): SignedDocument {
  return { ...document('snapshot', version, expires), meta: described(meta) }
}

export function timestampDocument(
  version: number,
  expires: string,
  meta: MetaEntries,
): SignedDocument {
  return { ...document('timestamp', version, expires), meta: described(meta) }
}

function described(meta: MetaEntries): unknown {
  return Object.fromEntries(
    Object.entries(meta).map(([file, { version, bytes }]) => [
      file,
      { version, length: bytes.length, hashes: { sha256: digestOf(bytes) } },
    ]),
  )
}

function keysById(keys: readonly TrustedKey[]): Record<string, TufKey> {
  return Object.fromEntries(keys.map((key) => [tufKeyId(key), tufKeyOf(key)]))
}

function roleOf({ keys, threshold }: RolePolicy) {
  return { keyids: [...new Set(keys.map(tufKeyId))], threshold }
}

function checkPolicy(role: string, { keys, threshold }: RolePolicy): void {
  const distinct = new Set(keys.map(tufKeyId)).size
  if (Number.isInteger(threshold) && threshold >= 1 && threshold <= distinct) return
  throw new KeysError(
    'impossible-policy',
    `${role}: ${threshold} of ${distinct} keys cannot sign; the threshold must be 1 to ${distinct}`,
  )
}
