import { readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { LibraryFacts } from '../runtime.ts'

/** How far up a wheel's own record may lie from its library. */
const STEPS = 4

/**
 * Of a library that does not tell: what the wheel it came in is called (`<package>-2.3.0.dist-info` beside it), else
 * its digest's first digits.
 */
export function libraryVersion({ path, digest }: LibraryFacts, wheel: string): string {
  const record = new RegExp(`^${wheel}-(\\d[^-]*)\\.dist-info$`)
  let folder = dirname(path)
  for (let step = 0; step < STEPS; step += 1) {
    const found = namesIn(folder).flatMap((name) => record.exec(name)?.[1] ?? [])
    if (found.length === 1) return String(found[0])
    folder = dirname(folder)
  }
  return `sha256:${digest.slice(0, 12)}`
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
