import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { packageJsonPath, packageVersion } from './package-version.ts'
import { RUNTIME_NAMES, RUNTIMES, type RuntimeName } from './runtime.ts'

/** Runtimes present with a build for this machine. Reads package files only; loads no native code and no wasm. */
export async function installedRuntimes(): Promise<{ name: RuntimeName; version: string }[]> {
  return RUNTIME_NAMES.filter(isInstalled).map((name) => ({
    name,
    version: packageVersion(RUNTIMES[name].package),
  }))
}

function isInstalled(name: RuntimeName): boolean {
  try {
    return existsSync(join(dirname(packageJsonPath(RUNTIMES[name].package)), RUNTIMES[name].needs))
  } catch {
    return false
  }
}
