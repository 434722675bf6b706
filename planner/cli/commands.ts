import type { CliCommand } from './command.ts'

/** Every command of `fitment`, in the order `--help` lists them. */
export const commands: readonly CliCommand[] = []
