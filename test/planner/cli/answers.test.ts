/**
 * Walks all commands there are, by their own table: whatever stands in an option or where a file is wanted, the answer is
 * one line with a code. A new command is walked by itself.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { commandsFor } from '../../../planner/cli/commands.ts'
import type { CliCommand, CliOption } from '../../../planner/cli/program/command.ts'
import { ABSURD, faultOf, places } from '../../shared/command-line/answers.ts'
import { fitment } from './run-fitment.ts'
import { running } from './running-planner.ts'

const HANGS_MS = 60_000

t.setTimeout(400_000)
/** They run until they are stopped, so only what they cannot start with is tried. */
const SERVICES: ReadonlySet<string> = new Set(['serve', 'broker', 'planner', 'demo', 'mcp'])

/** Tried by the last test, and by the client of another library: it reads the standard input of this process. */
const ELSEWHERE: ReadonlySet<string> = new Set(['demo', 'mcp'])

interface Line {
  readonly why: string
  readonly argv: readonly string[]
}

const commands = await commandsFor([])

t.test('every command, with no planner to ask', async (t) => {
  const dir = inScratch(t)
  const files = places(dir)
  // Neither a folder nor one that could be made: no service starts there.
  const nowhere = files['below a file'] as string
  for (const command of commands) {
    if (ELSEWHERE.has(command.path)) continue
    await walk(t, command, linesOf(command, files, nowhere))
  }
})

t.test('every command that asks a running planner', async (t) => {
  const { data } = await running(t)
  const files = places(inScratch(t))
  const asking = commands.filter(({ path, options }) => !SERVICES.has(path) && options.some(isData))
  t.ok(asking.length > 30)
  for (const command of asking) await walk(t, command, linesOf(command, files, data))
})

t.test('the demo in a place that is no empty folder', async (t) => {
  const files = places(inScratch(t))
  for (const [why, path] of Object.entries(files)) {
    if (why === 'nothing there' || why === 'a folder' || why === 'a folder called as a model')
      continue
    t.equal(faultOf(await fitment('demo', '--keep', path)), undefined, why)
  }
})

t.test('every group of commands shows what it has', async (t) => {
  const groups = new Set(commands.flatMap(({ path }) => path.split(' ').slice(0, -1)))
  for (const group of groups) {
    if (commands.some(({ path }) => path === group)) continue
    const { code, err } = await fitment(group)
    t.equal(code, 2)
    t.match(err, /^Usage: fitment /m)
  }
})

/** Files that a command writes by its absurd names go into a folder of the test. */
function inScratch(t: Test): string {
  const [home, dir] = [process.cwd(), t.testdir({ work: {} })]
  process.chdir(join(dir, 'work'))
  t.teardown(() => process.chdir(home))
  return dir
}

async function walk(t: Test, { path }: CliCommand, lines: readonly Line[]): Promise<void> {
  const faults: string[] = []
  for (const { why, argv } of lines) {
    const answer = await Promise.race([fitment(...argv), hanging()])
    const fault = answer === undefined ? 'no answer' : faultOf(answer)
    if (fault !== undefined) faults.push(`${why}: ${fault.slice(0, 400)}`)
  }
  t.same(faults, [], `${path}: ${lines.length} lines`)
}

async function hanging(): Promise<undefined> {
  await sleep(HANGS_MS, undefined, { ref: false })
}

function linesOf(
  command: CliCommand,
  files: Readonly<Record<string, string>>,
  data: string,
): Line[] {
  const words = command.path.split(' ')
  const needed = command.arguments.filter(({ optional }) => !optional)
  const place = command.options.some(isData) ? ['--data', data] : []
  const given = needed.map(() => 'x')
  const line = (why: string, ...rest: readonly string[]) => ({
    why,
    argv: [...words, ...given, ...place, ...rest],
  })
  const valued = command.options.filter((option) => takesValue(option) && !isData(option))
  const wanted = Object.entries({
    ...files,
    ...Object.fromEntries(ABSURD.map((text) => [`"${text.slice(0, 12)}"`, text])),
  })
  return [
    line('nothing more'),
    line('an option that is none', '--no-such-option'),
    line('an option that lacks its value', ...valued.slice(0, 1).map(flagOf)),
    { why: 'nothing at all', argv: [...words, ...place] },
    { why: 'one word too many', argv: [...words, ...given, 'x', 'x', 'x', ...place] },
    ...valued.flatMap((option) =>
      wanted.map(([why, text]) => line(`${flagOf(option)}: ${why}`, flagOf(option), text)),
    ),
    ...needed.flatMap((argument, at) =>
      wanted.map(([why, text]) => ({
        why: `${argument.name}: ${why}`,
        argv: [...words, ...place, '--', ...given.with(at, text)],
      })),
    ),
  ]
}

/** Of a planner, that is: `bench --data` names samples. */
function isData({ flags }: CliOption): boolean {
  return flags === '--data <dir>'
}

function takesValue({ flags }: CliOption): boolean {
  return flags.includes('<')
}

/** `-o, --out <file>` → `--out` */
function flagOf({ flags }: CliOption): string {
  return /--[\w-]+/.exec(flags)?.[0] ?? flags
}
