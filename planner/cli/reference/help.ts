import type { Command } from 'commander'
import { z } from 'zod'
import { VARIABLES } from '../../../shared/environment.ts'
import { UsageError } from '../../../shared/errors.ts'
import { facts, type Page } from '../print/page.ts'
import { type CliCommand, defineCommand } from '../program/command.ts'
import { programOf } from '../program/program.ts'

interface Topic {
  readonly value: unknown
  readonly page: () => Page
}

/** What is no command, and still asked for. */
const TOPICS: Readonly<Record<string, Topic>> = {
  environment: {
    value: VARIABLES,
    page: () =>
      facts(
        VARIABLES.map(({ name, of, meaning }) => [name, `${meaning} (${of.join(', ')})`]),
        ['VARIABLE', 'MEANING'],
      ),
  },
}

/** @param all the commands there are */
export function helpCommand(all: () => Promise<readonly CliCommand[]>): CliCommand {
  return defineCommand({
    path: 'help',
    summary: `Shows the help of a command, or of ${Object.keys(TOPICS).join(', ')}.`,
    arguments: [
      { name: 'words', description: 'a command, or environment', optional: true, variadic: true },
    ],
    example: 'fitment help environment',
    input: z.object({ words: z.array(z.string()).default([]) }),
    run: async ({ words }, io) => {
      const [topic = ''] = words
      if (words.length === 1 && Object.hasOwn(TOPICS, topic)) {
        const { value, page } = TOPICS[topic] as Topic
        io.result(value, page)
        return 0
      }
      const help = helpOf(programOf(await all()), words)
      io.result({ help }, () => help)
      return 0
    },
  })
}

function helpOf(root: Command, words: readonly string[]): string {
  let command = root
  for (const word of words) {
    const below = command.commands.find((one) => one.name() === word)
    if (below === undefined) {
      throw new UsageError(
        `there is no command "${words.join(' ').slice(0, 80)}": see fitment --help`,
      )
    }
    command = below
  }
  return command.helpInformation().trimEnd()
}
