import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { invariant } from '../errors.ts'
import { parseJson } from '../json.ts'
import { type NativeTable, nativeTableSchema } from './table.ts'

const FILE = join('firmware-profiles', 'native', 'libraries.json')

/** The table that ships with the package, found upwards from this file: sources, `dist/` and test builds differ in depth. */
export async function readNativeTable(): Promise<NativeTable> {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const file = join(folder, FILE)
    if (existsSync(file)) return parseJson(nativeTableSchema, await readFile(file, 'utf8'))
    invariant(dirname(folder) !== folder, `the package ships ${FILE}`)
  }
}
