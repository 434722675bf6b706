import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { digestOf } from '../../shared/digest.ts'

/** Slots, links, downloads: every file by name, with its bytes. */
export function filesOf(stateDir: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const folder of ['slots', 'artifacts']) {
    const root = join(stateDir, folder)
    if (!existsSync(root)) continue
    for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
      const path = join(root, name)
      if (statSync(path).isFile()) found[join(folder, name)] = digestOf(readFileSync(path))
    }
  }
  return found
}
