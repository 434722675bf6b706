import { join } from 'node:path'
import { isOneOf } from '../../shared/open-words.ts'
import { isPackaged, RUNTIME_NAMES, type RuntimeName } from '../../shared/runtime/index.ts'
import { libraryDigest } from '../../shared/runtime-package/index.ts'
import { isPackageName } from '../../shared/trust/index.ts'
import { Slots } from '../artifacts/index.ts'

/** A library that came by the planner and is the present one of its runtime. */
export interface InstalledPackage {
  readonly runtime: RuntimeName
  readonly version: string
  /** Path of the file to open. It stays while the package does: a new one has another path. */
  readonly library: string
  /** Of the library. */
  readonly digest: string
}

/** What `current` names for each runtime; each was opened here once, in a child process. */
export async function installedPackages(stateDir: string): Promise<InstalledPackage[]> {
  const slots = new Slots(join(stateDir, 'slots'))
  const installed: InstalledPackage[] = []
  for (const name of (await slots.models()).filter(isPackageName)) {
    const { current } = await slots.links(name)
    const manifest = current === null ? undefined : await slots.package(name, current)
    if (current === null || !manifest) continue
    const { runtime, version, library } = manifest
    if (!isOneOf(RUNTIME_NAMES, runtime) || isPackaged(runtime)) continue
    const path = join(slots.directory(name, current), library)
    installed.push({ runtime, version, library: path, digest: libraryDigest(manifest) })
  }
  return installed
}
