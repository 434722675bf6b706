import { Writable } from 'node:stream'
import { Command, Option } from 'commander'
import type { z } from 'zod'
import { reportFailure, saidOnce } from '../../../shared/command-line/index.ts'
import { UsageError } from '../../../shared/errors.ts'
import { speakPlainly } from '../../../shared/issue-words.ts'
import type { Naming } from '../../../shared/started-as.ts'
import { VERSION } from '../../../shared/version.ts'
import { Voice } from '../voice.ts'
import type { CliCommand, CliOption, ExitCode } from './command.ts'
import { type CliStreams, createIo } from './io.ts'
import { printingOptions, readPrinting, widthOf } from './printing-options.ts'

/**
 * Runs one command line and answers its exit code; never throws, never exits the process.
 * @param argv words after the program's name
 * @param naming how printed commands name the programs
 */
export async function runProgram(
  commands: readonly CliCommand[],
  argv: readonly string[],
  streams: CliStreams,
  naming: Naming = (program) => program,
): Promise<ExitCode> {
  speakPlainly()
  const voice = new Voice(naming)
  let exitCode: ExitCode = 0
  const root = buildProgram(commands, streams, voice, (code) => {
    exitCode = code
  })
  try {
    await root.parseAsync([...argv], { from: 'user' })
    return exitCode
  } catch (error) {
    return reportFailure(error, streams.stderr, voice.say)
  }
}

/** The same parser, to be looked at: it runs nothing, and prints nothing. */
export function programOf(commands: readonly CliCommand[]): Command {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const voice = new Voice((program) => program)
  return buildProgram(commands, { stdout: nowhere, stderr: nowhere }, voice, () => {})
}

function buildProgram(
  commands: readonly CliCommand[],
  streams: CliStreams,
  voice: Voice,
  finish: (code: ExitCode) => void,
): Command {
  const root = newCommand('fitment', streams)
    .description('Fits a model to every device of a fleet.')
    .version(VERSION)
  for (const command of commands) {
    const words = command.path.split(' ')
    const last = words.pop() as string
    const parent = words.reduce((node, word) => findOrAdd(node, word, streams), root)
    const leaf = findOrAdd(parent, last, streams)
    leaf.description(command.summary)
    for (const { name, description, optional, variadic } of command.arguments) {
      const words = variadic ? `${name}...` : name
      leaf.argument(optional ? `[${words}]` : `<${words}>`, description)
    }
    for (const option of [...command.options, ...printingOptions(command)]) {
      leaf.addOption(optionOf(option))
    }
    leaf.addHelpText('after', `\nExample:\n  $ ${voice.say(command.example)}`)
    leaf.action(async () => finish(await invoke(command, leaf, streams, voice)))
  }
  return root
}

/** Choices are shown and completed; what else is said is refused by the command's own schema. */
function optionOf({ flags, description, default: usual, choices }: CliOption): Option {
  const option = saidOnce(new Option(flags, description).default(usual))
  return Object.assign(option, choices && { argChoices: [...choices] })
}

async function invoke(
  command: CliCommand,
  leaf: Command,
  streams: CliStreams,
  voice: Voice,
): Promise<ExitCode> {
  const named = Object.fromEntries(
    command.arguments.map((argument, index) => [
      camelCase(argument.name),
      leaf.processedArgs[index],
    ]),
  )
  const { printing, watchSeconds, own } = readPrinting(command, leaf)
  voice.invoked(command, leaf)
  const parsed = command.input.safeParse({ ...own, ...named })
  if (!parsed.success) throw new UsageError(usageLine(command, parsed.error))
  const runOn = (shown: CliStreams) =>
    command.run(parsed.data, createIo({ ...printing, width: widthOf(streams) }, shown, voice.say))
  if (watchSeconds === undefined) return runOn(streams)
  const { watch } = await import('./watch.ts')
  const data = typeof own.data === 'string' ? own.data : undefined
  const watching = { seconds: watchSeconds, data, bare: printing.form === 'json' }
  return watch(watching, streams, runOn)
}

function usageLine(command: CliCommand, error: z.ZodError): string {
  const problems = error.issues.map((issue) => `${flagOf(command, issue.path)}: ${issue.message}`)
  return `${problems.join('; ')} (see fitment ${command.path} --help)`
}

function flagOf(command: CliCommand, path: readonly PropertyKey[]): string {
  const key = String(path[0] ?? '')
  const isArgument = command.arguments.some((argument) => camelCase(argument.name) === key)
  return isArgument ? key : `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

function newCommand(name: string, streams: CliStreams): Command {
  return (
    new Command(name)
      .exitOverride()
      // `devices` and `devices invite` both take --data: what follows `invite` is the latter's.
      .enablePositionalOptions()
      // The names of commands take half of a narrow terminal, and what they do wraps beside them.
      .configureHelp({ minWidthToWrap: 20 })
      .configureOutput({
        getOutHelpWidth: () => widthOf(streams) ?? 80,
        getErrHelpWidth: () => widthOf(streams) ?? 80,
        writeOut: (text) => streams.stdout.write(text),
        writeErr: (text) => streams.stderr.write(text),
        // Said in one line with all other refusals.
        outputError: () => {},
      })
  )
}

/** Words that are commands only with another behind them. */
const GROUPS: Readonly<Record<string, string>> = {
  models: 'Registers float models, and shows those there are.',
  runtimes: 'Stores native runtimes for the devices that take them, and shows who has them.',
  rollout: 'Starts rollouts, shows how far they are, and steers them.',
  invites: 'Tokens by which devices may still join: lists and revokes them.',
  samples: 'Inferences that devices captured: lists them, and writes them for labelling.',
  webhooks: 'Says who is told of events, and shows what did not arrive.',
  windows: 'Says when devices may switch.',
  keys: 'Keys that sign releases and assignments: where they lie, what waits for them, their rotation.',
  operators: 'Says who may operate this planner from elsewhere.',
}

function findOrAdd(parent: Command, word: string, streams: CliStreams): Command {
  const existing = parent.commands.find((command) => command.name() === word)
  if (existing) return existing
  const added = newCommand(word, streams).description(GROUPS[word] ?? '')
  parent.addCommand(added)
  return added
}

function camelCase(name: string): string {
  return name.toLowerCase().replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
