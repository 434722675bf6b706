import { gzipSync } from 'node:zlib'
import { program as agentProgram, EXAMPLES } from '../agent/cli/program.ts'
import { commandsFor } from '../planner/cli/commands.ts'
import { referenceOfCommands, SHELLS } from '../planner/cli/reference/completion.ts'
import { type ManualPage, manualPages } from '../planner/cli/reference/manual.ts'
import { type CommandReference, referenceOf } from '../planner/cli/reference/tree.ts'

const REFERENCES: Readonly<Record<string, () => Promise<CommandReference>>> = {
  fitment: async () => referenceOfCommands(await commandsFor([])),
  'fitment-agent': async () => {
    const reference = referenceOf(agentProgram({ streams: process, exitCode: 0 }))
    const lines: Readonly<Record<string, string>> = EXAMPLES
    // Its help shows lines that work where it was started, which is no installed program here.
    const commands = reference.commands.map((one) => ({ ...one, example: lines[one.name] }))
    return { ...reference, commands }
  },
}

/** What a program takes, by its own parser. */
export async function programReference(name: string): Promise<CommandReference> {
  const reference = Object.hasOwn(REFERENCES, name) ? REFERENCES[name] : undefined
  if (reference === undefined) throw new Error(`${name} is no program of ours`)
  return reference()
}

/** Of every program. */
export async function allManualPages(): Promise<readonly ManualPage[]> {
  const programs = await Promise.all(Object.keys(REFERENCES).map(programReference))
  return programs.flatMap(manualPages)
}

/** Where each shell of Debian looks for completions that packages bring. */
const COMPLETIONS: Readonly<Record<keyof typeof SHELLS, (name: string) => string>> = {
  bash: (name) => `usr/share/bash-completion/completions/${name}`,
  zsh: (name) => `usr/share/zsh/vendor-completions/_${name}`,
  fish: (name) => `usr/share/fish/vendor_completions.d/${name}.fish`,
}

/** Manual pages and completions of a program, by where a package puts them. */
export async function referenceFiles(
  name: string,
): Promise<ReadonlyMap<string, string | Uint8Array>> {
  const reference = await programReference(name)
  const pages = manualPages(reference).map(
    ({ file, text }) => [`usr/share/man/man1/${file}.gz`, gzipSync(text, { level: 9 })] as const,
  )
  const shells = Object.keys(SHELLS) as (keyof typeof SHELLS)[]
  const completions = shells.map(
    (shell) => [COMPLETIONS[shell](name), SHELLS[shell](reference)] as const,
  )
  return new Map<string, string | Uint8Array>([...pages, ...completions])
}
