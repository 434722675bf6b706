import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { invariant } from '../../shared/errors.ts'

/** The demo's files in the package, wherever the compiled code stands. */
export function demoFile(...parts: readonly string[]): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const candidate = join(folder, 'planner', 'demo', ...parts)
    if (existsSync(candidate)) return candidate
    invariant(dirname(folder) !== folder, `the package ships planner/demo/${parts.join('/')}`)
  }
}
