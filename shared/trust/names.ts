import type { Digest } from '../digest.ts'
import { RUNTIMES, type RuntimeName } from '../runtime/index.ts'

/** Uptane's two repositories: what was released, and what this device shall have of it. */
export const REPOSITORIES = ['director', 'image'] as const
export type RepositoryName = (typeof REPOSITORIES)[number]

export const TOP_ROLES = ['root', 'timestamp', 'snapshot', 'targets'] as const
export type TopRole = (typeof TOP_ROLES)[number]

/** Role that signs the variants of one model; the prefix keeps a model named `root` out of the top level. */
export function modelRole(model: string): string {
  return `model.${model}`
}

/** `ic01/<digest>.tflite`: the name both repositories use for one variant. */
export function targetPath(model: string, variant: Digest, runtime: RuntimeName): string {
  // A runtime that came later names its files itself: whoever does not have it refuses it before its path matters.
  const { format } = RUNTIMES[runtime] ?? { format: runtime }
  return `${model}/${variant}.${format}`
}

const PACKAGE_PREFIX = 'runtime.'

/** Under which name packages of a runtime are released, assigned and installed, beside models. */
export function packageName(runtime: string): string {
  return `${PACKAGE_PREFIX}${runtime}`
}

/** No model is called so. */
export function isPackageName(name: string): boolean {
  return name.startsWith(PACKAGE_PREFIX)
}

/** `runtime.tflite/<digest>.zip`: the name both repositories use for one package. */
export function packagePath(name: string, digest: Digest): string {
  return `${name}/${digest}.zip`
}

/** `3.root.json`, `timestamp.json`, `model.ic01.json`; TUF 1.0 §6 with consistent snapshots. */
export function metadataFile(role: string, version?: number): string {
  const name = `${encodeURIComponent(role)}.json`
  return version === undefined ? name : `${version}.${name}`
}
