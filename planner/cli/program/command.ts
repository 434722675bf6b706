import type { z } from 'zod'
import type { CliIo } from './io.ts'

/** 0: done. 1: done, with findings that ask for attention, or failed. 2: the command line was wrong. */
export type ExitCode = 0 | 1 | 2

export interface CliArgument {
  readonly name: string
  readonly description: string
  readonly optional?: boolean
  /** Takes all words that remain, one at least; the input is a list. Last argument only. */
  readonly variadic?: boolean
}

export interface CliOption {
  /** In commander's notation: `--scheme <name>`. */
  readonly flags: string
  readonly description: string
  readonly default?: string
  /** All values there are. */
  readonly choices?: readonly string[]
}

interface CommandDefinition<Schema extends z.ZodType> {
  /** Words of the command line, e.g. `models add`. */
  readonly path: string
  readonly summary: string
  readonly arguments?: readonly CliArgument[]
  readonly options?: readonly CliOption[]
  /** A line a user can paste. */
  readonly example: string
  /** Prints a list: takes `--sort`. */
  readonly lists?: boolean
  /** Shows what moves by itself: takes `--watch`. */
  readonly watched?: boolean
  /** Arguments and options by camelCase name, still text, become typed values here. */
  readonly input: Schema
  run(input: z.output<Schema>, io: CliIo): Promise<ExitCode>
}

export interface CliCommand {
  readonly path: string
  readonly summary: string
  readonly arguments: readonly CliArgument[]
  readonly options: readonly CliOption[]
  readonly example: string
  readonly lists: boolean
  readonly watched: boolean
  readonly input: z.ZodType
  run(rawInput: unknown, io: CliIo): Promise<ExitCode>
}

/** Ties a command's input schema to its body, and hides the types from the list of commands. */
export function defineCommand<Schema extends z.ZodType>(
  definition: CommandDefinition<Schema>,
): CliCommand {
  return {
    path: definition.path,
    summary: definition.summary,
    arguments: definition.arguments ?? [],
    options: definition.options ?? [],
    example: definition.example,
    lists: definition.lists ?? false,
    watched: definition.watched ?? false,
    input: definition.input,
    run: (rawInput, io) => definition.run(rawInput as z.output<Schema>, io),
  }
}
