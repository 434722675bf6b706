/**
 * `node main.js [--suite NAME] [FILE …]`: every test file of a suite in a process of its own, a few at a time; TAP on stdout,
 * for people only the files and what is not well.
 *
 * It stands in the place of `tap run`, which loads its recorder of coverage into every process of Node that a test
 * starts, whether coverage is wanted or not: what starts many, and imports much, took twice as long by it.
 */
import { readdirSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { parseArgs } from 'node:util'
import t from 'tap'
import { printUnlessWell } from './quiet-tap.ts'

/** Longest a file may take that does not say otherwise; both sides count. */
const TIMEOUT_S = 420

/** Whole fleets of real processes take minutes each: they are a suite of their own. */
const STORIES = `stories${sep}`

const SUITES: Readonly<Record<string, (file: string) => boolean>> = {
  usual: (file) => !file.startsWith(STORIES),
  stories: (file) => file.startsWith(STORIES),
}

const { values, positionals } = parseArgs({
  options: {
    jobs: { type: 'string', default: '3' },
    suite: { type: 'string', default: 'usual' },
  },
  allowPositionals: true,
})

/** Without what tap puts there for its own. */
const { NODE_OPTIONS = '' } = process.env
const CLEAN = [
  '-u',
  'NODE_OPTIONS',
  ...(NODE_OPTIONS === '' ? [] : [`NODE_OPTIONS=${NODE_OPTIONS}`]),
]

t.setTimeout(0)
if (process.stdout.isTTY) {
  t.register()
  printUnlessWell(t, (line) => line.startsWith('ok '))
}
t.jobs = Number(values.jobs)
for (const file of positionals.length > 0 ? positionals.map((path) => resolve(path)) : allTests()) {
  const argv = [...CLEAN, process.execPath, '--enable-source-maps', file]
  void t.spawn('env', argv, {
    name: relative(process.cwd(), file),
    at: null,
    stack: '',
    buffered: true,
    timeout: TIMEOUT_S * 1_000,
    env: { ...process.env, TAP_TIMEOUT: `${TIMEOUT_S}` },
  })
}

function allTests(): string[] {
  const belongs = SUITES[values.suite]
  if (belongs === undefined)
    throw new Error(`no suite "${values.suite}": there are ${Object.keys(SUITES).join(', ')}`)
  return readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.js') && !file.includes('fixtures') && belongs(file))
    .map((file) => join(import.meta.dirname, file))
    .sort()
}
