/** Walks all commands of the agent, by their own table: whatever stands in an option, the answer is one line with a code. */
import { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import t from 'tap'
import { program, runProgram, type Streams } from '../../../agent/cli/program.ts'
import { ABSURD, type Answer, faultOf, places } from '../../shared/command-line/answers.ts'

const HANGS_MS = 60_000

/** The program as users run it, in this process, with nothing on its standard input. */
async function agent(...argv: string[]): Promise<Answer> {
  let err = ''
  const stderr = new Writable({
    write(chunk, _encoding, done) {
      err += String(chunk)
      done()
    },
  })
  const code = await Promise.race([runProgram(argv, { ...silent(), stderr }), hanging()])
  return { code, err }
}

function silent(): Streams {
  const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() })
  return { stdin: Readable.from([]), stdout: nowhere(), stderr: nowhere() }
}

async function hanging(): Promise<null> {
  await sleep(HANGS_MS, undefined, { ref: false })
  return null
}

const { commands } = program({ streams: silent(), exitCode: 0 })

t.test('every option of every command', async (t) => {
  const files = places(t.testdir({}))
  const wanted = Object.entries({
    ...files,
    ...Object.fromEntries(ABSURD.map((text) => [`"${text.slice(0, 12)}"`, text])),
  })
  t.ok(commands.length >= 6)
  for (const command of commands) {
    const faults: string[] = []
    let tried = 0
    for (const [why, argv] of linesOf(command, wanted, files['below a file'] as string)) {
      tried += 1
      const fault = faultOf(await agent(...argv))
      if (fault !== undefined) faults.push(`${why}: ${fault.slice(0, 400)}`)
    }
    t.same(faults, [], `${command.name()}: ${tried} lines`)
  }
})

/** @param nowhere neither a state directory, nor a place for one: no agent starts there */
function linesOf(
  command: Command,
  wanted: readonly (readonly [string, string])[],
  nowhere: string,
): [why: string, argv: string[]][] {
  const given = command.registeredArguments.map(() => 'x')
  const line = [command.name(), ...given, '--state-dir', nowhere, ...outputOf(command, nowhere)]
  const enough =
    command.name() === 'run'
      ? ['--broker', 'mqtt://127.0.0.1:1', '--device', 'd1', '--trust', `sha256:${'0'.repeat(64)}`]
      : []
  // A state directory that is one would be run on.
  const enoughFor = (long: string | undefined) => (long === '--state-dir' ? [] : enough)
  const valued = command.options.filter(({ flags }) => flags.includes('<'))
  return [
    ['nothing at all', [command.name()]],
    ['nothing more', line],
    ['enough', [...line, ...enough]],
    ['an option that is none', [...line, '--no-such-option']],
    ['one word too many', [...line, 'x', 'x']],
    ...valued.flatMap(({ long }) => [
      [`${long} without a value`, [...line, ...enough, `${long}`]] as [string, string[]],
      ...wanted.map(([why, text]): [string, string[]] => [
        `${long}: ${why}`,
        [...line, ...enoughFor(long), `${long}`, text],
      ]),
    ]),
    ...given.flatMap((_, at) =>
      wanted.map(([why, text]): [string, string[]] => [
        `argument: ${why}`,
        [
          command.name(),
          '--state-dir',
          nowhere,
          ...outputOf(command, nowhere),
          '--',
          ...given.with(at, text),
        ],
      ]),
    ),
  ]
}

function outputOf(command: Command, nowhere: string): string[] {
  return command.options.some(({ long }) => long === '--output') ? ['--output', nowhere] : []
}
