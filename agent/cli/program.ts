import { Command, Option } from 'commander'
import { reportFailure, saidOnce } from '../../shared/command-line/index.ts'
import { UsageError } from '../../shared/errors.ts'
import { speakPlainly } from '../../shared/issue-words.ts'
import { printedCommands } from '../../shared/printed-commands.ts'
import { namingOf } from '../../shared/started-as.ts'
import { VERSION } from '../../shared/version.ts'
import { readSettings } from './read-settings.ts'
import { SETTING_FLAGS } from './settings.ts'

/** A line for each command, as it is typed where the program is installed. */
export const EXAMPLES = {
  run: 'fitment-agent run --state-dir /var/lib/fitment',
  join: 'fitment-agent join fitjoin1_… --state-dir /var/lib/fitment',
  renew: 'fitment-agent renew --state-dir /var/lib/fitment',
  status: 'fitment-agent status --state-dir /var/lib/fitment --json',
  metrics:
    'fitment-agent metrics --state-dir /var/lib/fitment > /var/lib/node_exporter/fitment.prom',
  samples: 'fitment-agent samples motor --state-dir /var/lib/fitment -o strange.npz',
  doctor: 'fitment-agent doctor --state-dir /var/lib/fitment',
}

/** Makes the commands in texts for people work where this one was typed. */
function say(text: string): string {
  return printedCommands(text, { naming: namingOf(process) })
}

/** Where a command speaks and is spoken to. */
export interface Streams {
  readonly stdin: NodeJS.ReadableStream
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
}

interface Running {
  readonly streams: Streams
  /** Set by commands that find something to look at. */
  exitCode: number
}

/** All commands, with what they are told. */
export function program(running: Running): Command {
  const { stdout } = running.streams
  const named = (command: Command): Command =>
    command.exitOverride().configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => running.streams.stderr.write(text),
      // What it refuses is said in one line with all other refusals.
      outputError: () => {},
    })
  const root = named(new Command('fitment-agent'))
    .description('Runs on every device: measures variants, installs the one it is assigned.')
    .version(VERSION)
  const run = named(root.command('run'))
    .description('run the agent until it is told to stop (SIGTERM, SIGINT)')
    .option('--config <file>', 'JSON file with these settings, by their camelCase names')
    .addHelpText(
      'after',
      `\nEvery flag is also an environment variable: FITMENT_STATE_DIR for --state-dir.\n\nExample:\n  $ ${say(EXAMPLES.run)}`,
    )
  for (const { flags, description } of SETTING_FLAGS) run.addOption(flagOf(flags, description))
  run.action(async (flags: Record<string, unknown>) => {
    const settings = readSettings({ flags, environment: process.env })
    const { runAgent } = await import('./run-command.ts')
    await runAgent(settings)
  })
  addIdentityCommands(root, named, running.streams)
  named(root.command('status'))
    .description('what this device runs, from the agent or from what it left on disk')
    .option(...STATE_DIR_FLAG, process.env.FITMENT_STATE_DIR)
    .option('--json', 'print one JSON value for machines')
    .addHelpText('after', `\nExample:\n  $ ${say(EXAMPLES.status)}`)
    .action(async ({ json, ...flags }: StateFlags & { readonly json?: boolean }) => {
      const stateDir = stateDirOf(flags)
      const { describe, needsAttention, statusOf } = await import('./status-command.ts')
      const status = await statusOf(stateDir)
      stdout.write(`${json ? JSON.stringify(status, null, 2) : describe(status)}\n`)
      running.exitCode = needsAttention(status) ? 1 : 0
    })
  addMetricsCommand(root, named, stdout)
  addSamplesCommand(root, named, stdout)
  named(root.command('doctor'))
    .description(
      'look at space, clock, certificate, broker, runtimes and permissions, and say what to do',
    )
    .option(...STATE_DIR_FLAG, process.env.FITMENT_STATE_DIR)
    .option('--json', 'print one JSON value for machines')
    .addHelpText('after', `\nExample:\n  $ ${say(EXAMPLES.doctor)}`)
    .action(async ({ json = false, ...flags }: StateFlags & { readonly json?: boolean }) => {
      const stateDir = stateDirOf(flags)
      const { doctor } = await import('./doctor/doctor-command.ts')
      running.exitCode = await doctor({ stateDir, json, say }, stdout)
    })
  return root
}

/** `--no-pull` is a flag as others are, and no default of a `--pull`. */
function flagOf(flags: string, description: string): Option {
  const option = saidOnce(new Option(flags, description))
  option.negate = false
  return option
}

type Named = (command: Command) => Command

const STATE_DIR_FLAG = ['--state-dir <dir>', 'state directory of the agent'] as const

interface StateFlags {
  readonly stateDir?: string
}

function stateDirOf({ stateDir }: StateFlags): string {
  if (stateDir) return stateDir
  throw new UsageError('--state-dir must be given (or FITMENT_STATE_DIR)')
}

function addMetricsCommand(root: Command, named: Named, stdout: NodeJS.WritableStream): void {
  named(root.command('metrics'))
    .description('what Prometheus reads of this device, e.g. by a textfile collector')
    .option(...STATE_DIR_FLAG, process.env.FITMENT_STATE_DIR)
    .addHelpText('after', `\nExample:\n  $ ${say(EXAMPLES.metrics)}`)
    .action(async (flags: StateFlags) => {
      const stateDir = stateDirOf(flags)
      const { metricsOf } = await import('./status-command.ts')
      stdout.write(await metricsOf(stateDir))
    })
}

function addSamplesCommand(root: Command, named: Named, stdout: NodeJS.WritableStream): void {
  named(root.command('samples'))
    .description('write what --capture kept of a model as .npz, ready for labelling')
    .argument('<model>', 'name of a model')
    .option(...STATE_DIR_FLAG, process.env.FITMENT_STATE_DIR)
    .requiredOption('-o, --output <file>', 'where the .npz is written')
    .option('--json', 'print one JSON value for machines')
    .addHelpText('after', `\nExample:\n  $ ${say(EXAMPLES.samples)}`)
    .action(async (model: string, flags: SamplesFlags) => {
      const { output, json } = flags
      const stateDir = stateDirOf(flags)
      const { writeSamples } = await import('./samples-command.ts')
      const told = await writeSamples(stateDir, model, output)
      const text = `${told.samples} samples of ${model} in ${told.file}`
      stdout.write(`${json ? JSON.stringify(told, null, 2) : text}\n`)
    })
}

interface SamplesFlags extends StateFlags {
  readonly output: string
  readonly json?: boolean
}

interface IdentityFlags extends StateFlags {
  readonly device?: string
  readonly certificate?: string
  readonly key?: string
  readonly json?: boolean
}

function addIdentityCommands(root: Command, named: Named, streams: Streams): void {
  named(root.command('join'))
    .description('join a fleet: make a key, get its certificate, keep what run needs')
    .argument('<token>', 'what fitment devices invite printed; - reads it from standard input')
    .option(...STATE_DIR_FLAG, process.env.FITMENT_STATE_DIR)
    .option(
      '--device <id>',
      'name of this device, where the token does not say it',
      process.env.FITMENT_DEVICE,
    )
    .option(
      '--certificate <file>',
      'what the device was made with, PEM, of an authority that the token names; what leads there after it',
    )
    .option('--key <file>', 'its private key, PEM')
    .option('--json', 'print one JSON value for machines')
    .addHelpText('after', `\nExample:\n  $ ${say(EXAMPLES.join)}`)
    .action(async (token: string, flags: IdentityFlags) => {
      const { joinWithToken } = await import('./join-command.ts')
      await joinWithToken({ ...flags, token, stateDir: stateDirOf(flags), say }, streams)
    })
  named(root.command('renew'))
    .description('get the next certificate now; run does it by itself, in time')
    .option(...STATE_DIR_FLAG, process.env.FITMENT_STATE_DIR)
    .option('--json', 'print one JSON value for machines')
    .addHelpText('after', `\nExample:\n  $ ${say(EXAMPLES.renew)}`)
    .action(async (flags: IdentityFlags) => {
      const { renewNow } = await import('./join-command.ts')
      await renewNow({ ...flags, stateDir: stateDirOf(flags) }, streams.stdout)
    })
}

/** Runs one command line and answers its exit code; never throws. */
export async function runProgram(
  argv: readonly string[] = process.argv.slice(2),
  streams: Streams = process,
): Promise<number> {
  speakPlainly()
  const running: Running = { streams, exitCode: 0 }
  try {
    await program(running).parseAsync([...argv], { from: 'user' })
    return running.exitCode
  } catch (error) {
    return reportFailure(error, streams.stderr, say)
  }
}
