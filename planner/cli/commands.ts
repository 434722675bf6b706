import { benchCommand } from './bench.ts'
import type { CliCommand } from './command.ts'
import { evaluateCommand } from './evaluate.ts'
import { inspectCommand } from './inspect.ts'
import { quantizeCommand } from './quantize.ts'

/** Every command of `fitment`, in the order `--help` lists them. */
export const commands: readonly CliCommand[] = [
  inspectCommand,
  quantizeCommand,
  evaluateCommand,
  benchCommand,
]
