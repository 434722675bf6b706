import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = join(process.cwd(), 'test', 'fixtures', 'models')

export function modelPath(file: string): string {
  return join(FOLDER, file)
}

/** A tiny model made by test/fixtures/models/generate.py, e.g. `dense.tflite`. */
export function modelBytes(file: string): Uint8Array {
  return readFileSync(modelPath(file))
}
