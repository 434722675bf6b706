import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sharedData } from '../../../shared-data.ts'

/** Every .tflite file of the shared data; none where this machine has no such data. */
export function realModels(): { name: string; bytes: Uint8Array }[] {
  const root = sharedData()
  if (root === undefined) return []
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.tflite'))
    .sort()
    .map((name) => ({ name, bytes: new Uint8Array(readFileSync(join(root, name))) }))
}
