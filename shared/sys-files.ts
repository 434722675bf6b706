import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A file of /sys below a root; undefined where it is absent, or not ours to read. Short enough to be read at once. */
export function textOf(root: string, path: string): string | undefined {
  try {
    const text = readFileSync(join(root, path), 'utf8').trim()
    return text === '' ? undefined : text
  } catch {
    return undefined
  }
}

export function numberOf(root: string, path: string): number | undefined {
  const value = Number(textOf(root, path) ?? Number.NaN)
  return Number.isFinite(value) ? value : undefined
}

/** Names in a folder, in order; none where there is no such folder. */
export function namesIn(root: string, folder: string): readonly string[] {
  try {
    return readdirSync(join(root, folder)).sort()
  } catch {
    return []
  }
}
