import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { z } from 'zod'
import { RuntimeError } from './errors.ts'

const require = createRequire(import.meta.url)
const packageSchema = z.object({ version: z.string() })

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
  return packageSchema.parse(JSON.parse(readFileSync(packageJsonPath(name), 'utf8'))).version
}
