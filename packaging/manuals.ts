import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { allManualPages } from './reference.ts'

/** `npm run man [-- FOLDER]`: the manual pages of both programs, as their parsers have it. */
const [, , folder = 'dist/man'] = process.argv

await mkdir(folder, { recursive: true })
for (const { file, text } of await allManualPages()) await writeFile(join(folder, file), text)
