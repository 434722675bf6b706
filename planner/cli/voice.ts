import type { Command } from 'commander'
import { PLANNER_COMMANDS, printedCommands } from '../../shared/printed-commands.ts'
import type { Naming } from '../../shared/started-as.ts'
import type { CliCommand } from './program/command.ts'

const ASKS_A_PLANNER: ReadonlySet<string> = new Set(PLANNER_COMMANDS)

/** What one command line says to people: the commands in it work where it was typed, for the planner it asked. */
export class Voice {
  readonly #naming: Naming
  #data: string | undefined

  constructor(naming: Naming) {
    this.#naming = naming
  }

  /** A data directory that was not typed need not be typed the next time either. */
  invoked({ path }: CliCommand, leaf: Command): void {
    if (!ASKS_A_PLANNER.has(path) || leaf.getOptionValueSource('data') !== 'cli') return
    this.#data = leaf.opts<{ data: string }>().data
  }

  readonly say = (text: string): string =>
    printedCommands(text, { naming: this.#naming, data: this.#data })
}
