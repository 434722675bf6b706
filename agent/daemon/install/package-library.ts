import { join } from 'node:path'
import { isOneOf } from '../../../shared/open-words.ts'
import {
  loadRuntime,
  RUNTIME_NAMES,
  RuntimeError,
  zerosFor,
} from '../../../shared/runtime/index.ts'
import { PackageError, type RuntimeManifest } from '../../../shared/runtime-package/index.ts'
import { ArtifactError, type Slots } from '../../artifacts/index.ts'
import type { TrustedPackage } from '../../trust/index.ts'
import { DENSE_LAYER } from './dense-layer.ts'

/** What is inside is what was signed from outside. @throws PackageError `other-package` */
export function requireSame(signed: TrustedPackage, packed: RuntimeManifest): void {
  const field = (['runtime', 'version', 'architecture'] as const).find(
    (name) => signed[name] !== packed[name],
  )
  if (field === undefined) return
  throw new PackageError(
    'other-package',
    `it holds ${field} ${packed[field]}, and was signed as ${signed[field]}`,
  )
}

/**
 * Opens the library of an installed package and runs a small model with it, in child processes, which may crash or
 * hang without harm: it is the runtime it came as, and this processor has what its kernels want.
 * @throws RuntimeError, ArtifactError `slot-missing`
 */
export async function openLibrary(name: string, digest: string, slots: Slots): Promise<void> {
  const manifest = await slots.package(name, digest)
  if (!manifest) throw new ArtifactError('slot-missing', `the slot of ${name} vanished`, { digest })
  const { runtime, library } = manifest
  if (!isOneOf(RUNTIME_NAMES, runtime)) {
    throw new RuntimeError('runtime-missing', `${runtime} is no runtime of this agent: update it`)
  }
  const opened = await loadRuntime(runtime, {
    library: join(slots.directory(name, digest), library),
  })
  const session = await opened.load(DENSE_LAYER, { threads: 1 })
  try {
    await session.run(zerosFor(session.inputs))
  } finally {
    await session.close()
  }
}
