import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import { packageJsonPath } from '../package-version.ts'
import { RUNTIMES } from '../runtime.ts'

/** Where the files of LiteRT's builds lie. @throws RuntimeError `runtime-missing` */
export function buildFile(name: string): string {
  return join(dirname(packageJsonPath(RUNTIMES.litert.from.package)), 'wasm', name)
}

/**
 * Its bytes. Packages for devices hold these files by brotli (RFC 7932), a fifth as large: inflated into memory at each
 * start of a runtime, which takes about as long as reading them from a card.
 */
export function readBuildFile(name: string): Buffer {
  const path = buildFile(name)
  return existsSync(path) ? readFileSync(path) : brotliDecompressSync(readFileSync(`${path}.br`))
}
