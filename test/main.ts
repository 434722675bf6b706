/**
 * `node main.js [--suite NAME] [FILE …]`: every test file of a suite in a process of its own, a few at a time; TAP on stdout,
 * for people only the files and what is not well.
 *
 * It stands in the place of `tap run`, which loads its recorder of coverage into every process of Node that a test
 * starts, whether coverage is wanted or not: what starts many, and imports much, took twice as long by it.
 */
import { readdirSync } from 'node:fs'
import { basename, join, relative, resolve, sep } from 'node:path'
import { parseArgs } from 'node:util'
import t from 'tap'
import { printUnlessWell } from './quiet-tap.ts'

/** Whole fleets of real processes take minutes each, and so does power that is cut at every commit: a suite of their own. */
function isStory(file: string): boolean {
  return file.startsWith(`stories${sep}`) || basename(file) === 'power-cut.test.js'
}

interface Suite {
  readonly belongs: (file: string) => boolean
  /** Files at a time. */
  readonly jobs: number
  /** Longest a file may take, on a machine that does other things too. */
  readonly timeoutS: number
}

const SUITES: Readonly<Record<string, Suite>> = {
  usual: { belongs: (file) => !isStory(file), jobs: 3, timeoutS: 420 },
  // A fleet has a planner that builds, and agents that measure: two of them are enough for a machine.
  stories: { belongs: isStory, jobs: 2, timeoutS: 900 },
}

const { values, positionals } = parseArgs({
  options: {
    jobs: { type: 'string' },
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

const suite = SUITES[values.suite]
if (suite === undefined)
  throw new Error(`no suite "${values.suite}": there are ${Object.keys(SUITES).join(', ')}`)
const { belongs, jobs, timeoutS } = suite

t.setTimeout(0)
if (process.stdout.isTTY) {
  t.register()
  printUnlessWell(t, (line) => line.startsWith('ok '))
}
t.jobs = Number(values.jobs ?? jobs)
for (const file of positionals.length > 0 ? positionals.map((path) => resolve(path)) : allTests()) {
  const argv = [...CLEAN, process.execPath, '--enable-source-maps', file]
  void t.spawn('env', argv, {
    name: relative(process.cwd(), file),
    at: null,
    stack: '',
    buffered: true,
    timeout: timeoutS * 1_000,
    env: { ...process.env, TAP_TIMEOUT: `${timeoutS}` },
  })
}

function allTests(): string[] {
  return readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.js') && !file.includes('fixtures') && belongs(file))
    .map((file) => join(import.meta.dirname, file))
    .sort()
}
