import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { parseJson } from './json.ts'

const packageSchema = z.object({ name: z.literal('fitment'), version: z.string() })

/** The package's version, from the nearest `package.json` above this file, built or not. */
export const VERSION = versionAbove(new URL('./', import.meta.url))

function versionAbove(folder: URL): string {
  try {
    const text = readFileSync(new URL('package.json', folder), 'utf8')
    return parseJson(packageSchema, text).version
  } catch {
    const above = new URL('../', folder)
    return above.href === folder.href ? 'unknown' : versionAbove(above)
  }
}
