import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { packageJsonPath, packageVersion } from './package-version.ts'
import { RUNTIME_NAMES, RUNTIMES, type RuntimeName, type RuntimeOrigin } from './runtime.ts'

/**
 * Runtimes that came with this program and have a build for this machine. Reads package files only; loads no native
 * code and no wasm.
 */
export async function installedRuntimes(): Promise<{ name: RuntimeName; version: string }[]> {
  return RUNTIME_NAMES.flatMap((name) => {
    const { from }: { readonly from: RuntimeOrigin } = RUNTIMES[name]
    if (!('package' in from) || !isInstalled(from)) return []
    return [{ name, version: packageVersion(from.package) }]
  })
}

function isInstalled({ package: name, needs }: Extract<RuntimeOrigin, { package: string }>) {
  try {
    const path = join(dirname(packageJsonPath(name)), needs)
    // A package for devices holds some files compressed.
    return existsSync(path) || existsSync(`${path}.br`)
  } catch {
    return false
  }
}
