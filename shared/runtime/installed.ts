import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { packageJsonPath, packageVersion } from './package-version.ts'
import { RUNTIME_NAMES, RUNTIME_PACKAGES, type RuntimeName } from './runtime.ts'

/** The file without which the runtime cannot start on this machine, inside its package. */
const NEEDED_FILE: Readonly<Record<RuntimeName, string>> = {
  litert: 'wasm/litert_wasm_compat_internal.wasm',
  onnxruntime: `bin/napi-v6/${process.platform}/${process.arch}/onnxruntime_binding.node`,
}

/** Runtimes present with a build for this machine. Reads package files only; loads no native code and no wasm. */
export async function installedRuntimes(): Promise<{ name: RuntimeName; version: string }[]> {
  return RUNTIME_NAMES.filter(isInstalled).map((name) => ({
    name,
    version: packageVersion(RUNTIME_PACKAGES[name]),
  }))
}

function isInstalled(name: RuntimeName): boolean {
  try {
    return existsSync(join(dirname(packageJsonPath(RUNTIME_PACKAGES[name])), NEEDED_FILE[name]))
  } catch {
    return false
  }
}
