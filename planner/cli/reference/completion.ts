import { z } from 'zod'
import { type CliCommand, defineCommand } from '../program/command.ts'
import { programOf } from '../program/program.ts'
import { bashCompletion } from './bash.ts'
import { fishCompletion } from './fish.ts'
import { type CommandReference, referenceOf } from './tree.ts'
import { zshCompletion } from './zsh.ts'

export const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const
const shellNames = Object.keys(SHELLS) as [keyof typeof SHELLS, ...(keyof typeof SHELLS)[]]

/** @param all the commands there are */
export function completionCommand(all: () => Promise<readonly CliCommand[]>): CliCommand {
  return defineCommand({
    path: 'completion',
    summary: 'Prints what a shell needs to complete commands and options.',
    arguments: [{ name: 'shell', description: shellNames.join(', ') }],
    example: 'fitment completion bash > ~/.local/share/bash-completion/completions/fitment',
    input: z.object({ shell: z.enum(shellNames) }),
    run: async ({ shell }, io) => {
      const script = SHELLS[shell](referenceOfCommands(await all()))
      io.result({ shell, script }, () => script.trimEnd())
      return 0
    },
  })
}

export function referenceOfCommands(commands: readonly CliCommand[]): CommandReference {
  return referenceOf(programOf(commands))
}
