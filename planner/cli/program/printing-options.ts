import type { Command } from 'commander'
import { decimal } from '../../../shared/command-line/index.ts'
import { UsageError } from '../../../shared/errors.ts'
import type { CliCommand, CliOption } from './command.ts'
import type { CliStreams, Form, Printing } from './io.ts'

const FORMS = ['wide', 'json', 'csv'] as const

/** How often a watched command is asked again where nobody says, s. */
const WATCH_SECONDS = 2
const watchInput = decimal({ least: 0.2, most: 86_400 })

/** What every command takes beside its own options. `-o` names a file where a command writes one. */
export function printingOptions({ options, lists, watched }: CliCommand): readonly CliOption[] {
  const writesFile = options.some(({ flags }) => flags.startsWith('-o,'))
  const short = writesFile ? '' : '-o, '
  return [
    {
      flags: `${short}--format <form>`,
      description: 'print it so; absent: tables that fit the terminal',
      choices: FORMS,
    },
    { flags: '--json', description: 'print one JSON value for machines (--format json)' },
    ...(lists
      ? [
          {
            flags: '--sort <column>',
            description: 'order by a column, e.g. SIZE, or -SIZE for the largest first',
          },
        ]
      : []),
    ...(watched
      ? [
          {
            flags: '--watch [seconds]',
            description: `show it again every ${WATCH_SECONDS} s or as said, and when something moves, until Ctrl-C`,
          },
        ]
      : []),
  ]
}

interface Said {
  readonly format?: string
  readonly json?: boolean
  readonly sort?: string
  readonly watch?: string | true
}

export interface Wanted {
  readonly printing: Omit<Printing, 'width'>
  /** How often it is asked again; undefined: once. */
  readonly watchSeconds: number | undefined
  /** Options that are the command's own. */
  readonly own: Readonly<Record<string, unknown>>
}

/** @throws UsageError */
export function readPrinting(command: CliCommand, leaf: Command): Wanted {
  const taken = new Set(printingOptions(command).map(({ flags }) => /--([a-z]+)/.exec(flags)?.[1]))
  const all = Object.entries(leaf.opts<Record<string, unknown>>())
  const said: Said = Object.fromEntries(all.filter(([name]) => taken.has(name)))
  const own = Object.fromEntries(all.filter(([name]) => !taken.has(name)))
  const form = formOf(said)
  const watchSeconds = watchOf(said)
  if (watchSeconds !== undefined && form === 'csv') {
    throw new UsageError('--watch prints tables or JSON: CSV is one table with one head')
  }
  const { sort } = said
  return { printing: { form, sort, compact: watchSeconds !== undefined }, watchSeconds, own }
}

function formOf({ format, json = false }: Said): Form {
  if (format === undefined) return json ? 'json' : 'table'
  const form = FORMS.find((known) => known === format)
  if (form === undefined) {
    throw new UsageError(`--format: "${format.slice(0, 40)}" is none of ${FORMS.join(', ')}`)
  }
  if (json && form !== 'json') {
    throw new UsageError(`--json and --format ${form} say different things: leave out one of them`)
  }
  return form
}

function watchOf({ watch }: Said): number | undefined {
  if (watch === undefined) return undefined
  if (watch === true) return WATCH_SECONDS
  const seconds = watchInput.safeParse(watch)
  if (seconds.success) return seconds.data
  throw new UsageError(
    `--watch: ${seconds.error.issues[0]?.message}; write --watch 5, or --watch last`,
  )
}

/** COLUMNS where somebody set it, as POSIX has it; else what the terminal says; else no limit. */
export function widthOf({ stdout }: CliStreams): number | undefined {
  const said = Number(process.env.COLUMNS)
  if (Number.isInteger(said) && said > 0) return said
  return stdout.isTTY === true && stdout.columns ? stdout.columns : undefined
}
