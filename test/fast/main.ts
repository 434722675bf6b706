import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { printUnlessWell } from '../quiet-tap.ts'
import { unitTests } from './unit-tests.ts'

t.setTimeout(300_000)
t.register()
printUnlessWell(t)

// All in one process: what a unit test takes is mostly its start.
const files = unitTests(join(import.meta.dirname, '..'))
console.log(`${files.length} files of unit tests`)
for (const file of files) await import(pathToFileURL(file).href)
