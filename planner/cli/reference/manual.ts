import { VARIABLES, type Variable } from '../../../shared/environment.ts'
import { VERSION } from '../../../shared/version.ts'
import { type CommandReference, flat, type OptionReference } from './tree.ts'

export interface ManualPage {
  /** `fitment-models-add.1` */
  readonly file: string
  /** In the man macros of roff, as man-pages(7) orders them. */
  readonly text: string
}

/** Pages of section 1: one for the program, and one for each command that does something. */
export function manualPages(program: CommandReference): readonly ManualPage[] {
  return flat(program)
    .filter((command) => command === program || command.example !== undefined)
    .map((command) => ({ file: `${nameOf(command)}.1`, text: pageOf(command, program) }))
}

function nameOf({ path }: CommandReference): string {
  return path.replaceAll(' ', '-')
}

function pageOf(command: CommandReference, program: CommandReference): string {
  const isProgram = command === program
  const read = VARIABLES.filter(({ of }) => of.some((name) => name === program.name))
  const others = flat(program).filter(
    (one) => one !== command && one.path.startsWith(command.path) && one.example !== undefined,
  )
  return [
    `.TH ${nameOf(command).toUpperCase()} 1 "" "Fitment ${VERSION}" "Fitment"`,
    section('NAME', `${nameOf(command)} \\- ${text(firstWords(command.summary))}`),
    section('SYNOPSIS', `.B ${text(command.path)}\n${text(command.usage)}`),
    section('DESCRIPTION', text(command.summary)),
    section(
      'ARGUMENTS',
      command.arguments.map((one) => item(`\\fI${text(one.name)}\\fR`, one.description)).join('\n'),
    ),
    section('OPTIONS', command.options.map(optionItem).join('\n')),
    section(
      'COMMANDS',
      others.map((one) => item(`\\fB${text(one.path)}\\fR`, one.summary)).join('\n'),
    ),
    section('ENVIRONMENT', isProgram ? read.map(variableItem).join('\n') : ''),
    section(
      'EXIT STATUS',
      EXITS.map(([code, meaning]) => item(`\\fB${code}\\fR`, meaning)).join('\n'),
    ),
    section(
      'EXAMPLES',
      command.example === undefined ? '' : `.nf\n$ ${text(command.example)}\n.fi`,
    ),
    section('SEE ALSO', isProgram ? '' : `.BR ${nameOf(program).replaceAll('-', '\\-')} (1)`),
    '',
  ]
    .filter((part, at, all) => part !== '' || at === all.length - 1)
    .join('\n')
}

const EXITS = [
  [0, 'done'],
  [1, 'done, with something that asks for attention, or failed'],
  [2, 'the command line was wrong'],
] as const

function section(name: string, body: string): string {
  return body === '' ? '' : `.SH ${name}\n${body}`
}

function item(head: string, body: string): string {
  return `.TP\n${head}\n${text(body)}`
}

function optionItem({ flags, description, choices, default: usual }: OptionReference): string {
  const said = [
    ...(choices.length > 0 ? [`one of ${choices.join(', ')}`] : []),
    ...(usual === undefined ? [] : [`default: ${usual}`]),
  ]
  return item(`\\fB${text(flags)}\\fR`, [description, ...said].join('; '))
}

function variableItem({ name, meaning }: Variable): string {
  return item(`\\fB${text(name)}\\fR`, meaning)
}

/** whatis(1) shows one line. */
function firstWords(summary: string): string {
  const [first = ''] = summary.split(/[.;:](?: |$)/)
  return first
}

/** As roff(7) reads it, whatever its input is encoded in: no word becomes a request, no dash a hyphen. */
function text(plain: string): string {
  return plain
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1')
    .replaceAll("'", '\\(aq')
    .replace(/[^\n -~]/gu, (sign) => `\\[u${hexOf(sign)}]`)
}

function hexOf(sign: string): string {
  return (sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
}
