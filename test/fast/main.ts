import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { unitTests } from './unit-tests.ts'

/** TAP that says no more than that all is well. */
const WELL = /^\s*(TAP version|# Subtest|\d+\.\.\d+|ok \d+(?!.* # SKIP)|$)/

t.setTimeout(300_000)
t.register()
const lines = createInterface(t.pipe(new PassThrough()))
lines.on('line', (line) => {
  if (!WELL.test(line)) console.log(line)
})

// All in one process: what a unit test takes is mostly its start.
const files = unitTests(join(import.meta.dirname, '..'))
console.log(`${files.length} files of unit tests`)
for (const file of files) await import(pathToFileURL(file).href)
