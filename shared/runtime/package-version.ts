import { createRequire } from 'node:module'
import { RuntimeError } from './errors.ts'

const require = createRequire(import.meta.url)

/** Folder's package.json of an installed package, without loading the package. @throws RuntimeError `runtime-missing` */
export function packageJsonPath(name: string): string {
  try {
    return require.resolve(`${name}/package.json`)
  } catch (cause) {
    throw new RuntimeError(
      'runtime-missing',
      `${name} is not installed: run \`npm install ${name}\``,
      {},
      { cause },
    )
  }
}

/** @throws RuntimeError `runtime-missing` */
export function packageVersion(name: string): string {
  // Threads that run a model load this file: a schema library would be half of what they load.
  const { version } = require(packageJsonPath(name)) as { readonly version: unknown }
  return String(version)
}
