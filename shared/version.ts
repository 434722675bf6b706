import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const packageSchema = z.object({ name: z.literal('fitment'), version: z.string() })

/** Of this package, found upwards from this file: sources and builds differ in depth. */
export const VERSION = versionAbove(dirname(fileURLToPath(import.meta.url)))

function versionAbove(folder: string): string {
  const file = join(folder, 'package.json')
  const parsed = existsSync(file) && packageSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')))
  if (parsed !== false && parsed.success) return parsed.data.version
  return dirname(folder) === folder ? '0.0.0' : versionAbove(dirname(folder))
}
