import type { TargetFile } from '@tufjs/models'
import type { z } from 'zod'
import type { ArtifactRef } from '../../shared/artifact.ts'
import { isOneOf } from '../../shared/open-words.ts'
import { isPackaged, RUNTIME_NAMES, type RuntimeName } from '../../shared/runtime/index.ts'
import {
  type AttackName,
  baseClass,
  type DirectorCustom,
  type DirectorPackage,
  directorCustomSchema,
  directorPackageSchema,
  type ImageCustom,
  type ImagePackage,
  imageCustomSchema,
  imagePackageSchema,
  isPackageName,
  packageName,
  packagePath,
  TrustError,
  targetPath,
} from '../../shared/trust/index.ts'

/** One target as a repository describes it. */
export interface Described<C> {
  readonly path: string
  readonly length: number
  readonly digest: string
  readonly custom: C
}

/** What this device knows of itself. */
export interface DeviceFacts {
  /** The class it was set up for; `null`: it believes the director within what was released. */
  readonly class: string | null
  /** In whose names files are released that can be run here. */
  readonly runtimes: readonly RuntimeName[]
}

/** Both repositories and this device, side by side. */
export interface Compared {
  readonly director: Described<DirectorCustom>
  readonly image: Described<ImageCustom>
  readonly device: DeviceFacts
  /** Highest release counter of this model that was ever installed here; 0 for none. */
  readonly installedCounter: number
}

/** Who says what of a package, side by side with this device. */
export interface ComparedPackage {
  readonly director: Described<DirectorPackage>
  readonly image: Described<ImagePackage>
  /** As Node names architectures: what libraries must be for. */
  readonly architecture: string
  readonly installedCounter: number
}

export function directorTarget(target: TargetFile): Described<DirectorCustom> {
  return described(target, directorCustomSchema)
}

export function imageTarget(target: TargetFile): Described<ImageCustom> {
  return described(target, imageCustomSchema)
}

export function directorPackage(target: TargetFile): Described<DirectorPackage> {
  return described(target, directorPackageSchema)
}

export function imagePackage(target: TargetFile): Described<ImagePackage> {
  return described(target, imagePackageSchema)
}

/** Uptane 2.1 §5.4.4.2 step 10. @throws TrustError named after the first rule that is broken */
export function requireAgreement(compared: Compared): void {
  require(compared.director.path, RULES, compared)
}

/** The same for a package. @throws TrustError */
export function requirePackageAgreement(compared: ComparedPackage): void {
  require(compared.director.path, PACKAGE_RULES, compared)
}

function require<C>(path: string, rules: readonly Rule<C>[], compared: C): void {
  for (const { code, broken } of rules) {
    const reason = broken(compared)
    if (reason !== undefined) throw new TrustError(code, `${path}: ${reason}`, { path })
  }
}

interface Rule<C> {
  readonly code: AttackName
  /** What is wrong; `undefined` when the rule holds. */
  readonly broken: (compared: C) => string | undefined
}

/** Fields that must be equal, beside what the rules below treat by itself. */
const ALIKE = ['model', 'revision', 'runtime', 'scheme', 'releaseCounter', 'blockList'] as const
const PACKAGE_ALIKE = [
  'model',
  'runtime',
  'version',
  'architecture',
  'releaseCounter',
  'blockList',
] as const

const SAME_BYTES: Rule<Compared | ComparedPackage> = {
  // The director's key alone must not put bytes on a device.
  code: 'online-key-compromise',
  broken: ({ director, image }) =>
    director.digest === image.digest && director.length === image.length
      ? undefined
      : 'the director names other bytes than were released',
}

const NEVER_BACK: Rule<Compared | ComparedPackage> = {
  code: 'rollback',
  broken: ({ image, installedCounter }) =>
    image.custom.releaseCounter >= installedCounter
      ? undefined
      : `release ${image.custom.releaseCounter} is older than release ${installedCounter}, installed before`,
}

const PACKAGE_RULES: readonly Rule<ComparedPackage>[] = [
  SAME_BYTES,
  {
    code: 'mix-and-match',
    broken: ({ director, image }) => disagreement(PACKAGE_ALIKE, director.custom, image.custom),
  },
  {
    code: 'mix-and-match',
    broken: ({ director: { path, digest, custom } }) =>
      custom.model === packageName(custom.runtime) && path === packagePath(custom.model, digest)
        ? undefined
        : 'the path does not name the runtime and its bytes',
  },
  {
    code: 'wrong-class',
    broken: ({ image: { custom }, architecture }) =>
      custom.architecture === architecture
        ? undefined
        : `for ${custom.architecture}, but this device is ${architecture}`,
  },
  {
    code: 'wrong-class',
    broken: ({ image: { custom } }) =>
      isOneOf(RUNTIME_NAMES, custom.runtime) && !isPackaged(custom.runtime)
        ? undefined
        : `brings ${custom.runtime}, which this agent takes from nobody: update it`,
  },
  NEVER_BACK,
]

const RULES: readonly Rule<Compared>[] = [
  SAME_BYTES,
  {
    code: 'mix-and-match',
    broken: ({ director: { custom } }) =>
      isPackageName(custom.model) ? 'a model under the name of a runtime' : undefined,
  },
  {
    code: 'mix-and-match',
    broken: ({ director, image }) => disagreement(ALIKE, director.custom, image.custom),
  },
  {
    code: 'mix-and-match',
    broken: ({ director, image }) => differentFile(director.custom, image.custom),
  },
  {
    code: 'mix-and-match',
    // Files of a runtime that we do not know are not here to be run: the class's rule below refuses them.
    broken: ({ director: { path, digest, custom } }) =>
      !isOneOf(RUNTIME_NAMES, custom.runtime) ||
      path === targetPath(custom.model, digest, custom.runtime)
        ? undefined
        : 'the path does not name the model and its bytes',
  },
  {
    code: 'wrong-class',
    broken: ({ director, image }) =>
      image.custom.classes.includes(director.custom.class)
        ? undefined
        : `assigned for class ${director.custom.class}, released for ${image.custom.classes.join(', ')}`,
  },
  {
    code: 'wrong-class',
    // A device that was set up by its kind takes what was chosen for that kind with its own libraries.
    broken: ({ director: { custom }, device }) =>
      device.class === null || [custom.class, baseClass(custom.class)].includes(device.class)
        ? undefined
        : `for class ${custom.class}, but this device is of class ${device.class}`,
  },
  {
    code: 'wrong-class',
    broken: ({ image, device }) =>
      isOneOf(device.runtimes, image.custom.runtime)
        ? undefined
        : `needs ${image.custom.runtime}, which devices of this class do not have`,
  },
  NEVER_BACK,
]

function disagreement<K extends string>(
  fields: readonly K[],
  director: Readonly<Partial<Record<K, unknown>>>,
  image: Readonly<Partial<Record<K, unknown>>>,
): string | undefined {
  const differing = fields.find((field) => director[field] !== image[field])
  return differing && `director and image repository disagree on ${differing}`
}

/** What travels beside the variant. */
const FILES = { selfTest: 'the self-test', labels: 'the labels', sketch: 'the sketch' } as const
type Files = Pick<DirectorCustom, keyof typeof FILES>

function differentFile(director: Files, image: Files): string | undefined {
  const differing = Object.keys(FILES).find((field) => {
    const name = field as keyof typeof FILES
    return refText(director[name]) !== refText(image[name])
  })
  return differing && `director and image repository disagree on ${FILES[differing as keyof Files]}`
}

function described<C>(target: TargetFile, schema: z.ZodType<C>): Described<C> {
  const custom = schema.safeParse(target.unrecognizedFields.custom)
  const digest = target.hashes.sha256
  if (!custom.success || digest === undefined) {
    throw new TrustError('malformed-metadata', `${target.path} does not describe what it is`)
  }
  return { path: target.path, length: target.length, digest, custom: custom.data }
}

function refText(ref: ArtifactRef | null | undefined): string {
  return ref ? `${ref.digest} ${ref.bytes} ${ref.blockList}` : ''
}
