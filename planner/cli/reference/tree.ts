import type { Command, Option } from 'commander'

/** What a word of the command line takes behind it. */
export interface OptionReference {
  /** `-o`, `--format`: as they are typed. */
  readonly names: readonly string[]
  /** As usage shows it: `-o, --format <form>`. */
  readonly flags: string
  readonly description: string
  readonly takes: 'nothing' | 'value' | 'value or nothing'
  /** All values there are; empty: any. */
  readonly choices: readonly string[]
  readonly default: string | undefined
}

/** One command, of the program's own parser: what it takes, and the commands below it. */
export interface CommandReference {
  /** `fitment models add`. */
  readonly path: string
  readonly name: string
  readonly summary: string
  /** `<name> [options]`: without the path. */
  readonly usage: string
  readonly arguments: readonly { readonly name: string; readonly description: string }[]
  readonly options: readonly OptionReference[]
  /** A line that can be pasted; undefined for a group of commands. */
  readonly example: string | undefined
  readonly commands: readonly CommandReference[]
}

/** Everything that is printed of a program (help, completions, manual pages) is made of this. */
export function referenceOf(command: Command, above = ''): CommandReference {
  const path = above === '' ? command.name() : `${above} ${command.name()}`
  return {
    path,
    name: command.name(),
    summary: command.description(),
    usage: command.usage(),
    arguments: command.registeredArguments.map((one) => ({
      name: one.variadic ? `${one.name()}…` : one.name(),
      description: one.description,
    })),
    options: [...command.options.map(optionOf), HELP],
    example: exampleOf(command),
    commands: command.commands.map((below) => referenceOf(below, path)),
  }
}

/** The command and all below it, each before those below itself. */
export function flat(command: CommandReference): readonly CommandReference[] {
  return [command, ...command.commands.flatMap(flat)]
}

const HELP: OptionReference = {
  names: ['-h', '--help'],
  flags: '-h, --help',
  description: 'show the help of the command',
  takes: 'nothing',
  choices: [],
  default: undefined,
}

function optionOf(option: Option): OptionReference {
  const takes = option.required ? 'value' : option.optional ? 'value or nothing' : 'nothing'
  return {
    names: [option.short, option.long].flatMap((name) => name ?? []),
    flags: option.flags,
    description: option.description,
    takes,
    choices: option.argChoices ?? [],
    default: typeof option.defaultValue === 'string' ? option.defaultValue : undefined,
  }
}

/** Commander keeps what follows the help as listeners: it is read where it is written. */
function exampleOf(command: Command): string | undefined {
  const { writeOut } = command.configureOutput()
  let text = ''
  command.configureOutput({
    writeOut: (more) => {
      text += more
    },
  })
  command.outputHelp()
  if (writeOut) command.configureOutput({ writeOut })
  return /^Example:\n {2}\$ (.+)$/m.exec(text)?.[1]
}
