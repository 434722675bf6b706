import { existsSync } from 'node:fs'
import { basename, delimiter, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The two programs of the package, and where they stand in it once compiled. */
const PROGRAMS = { fitment: 'planner/cli/main.js', 'fitment-agent': 'agent/cli/main.js' } as const
export type Program = keyof typeof PROGRAMS

/** How a line that is to be pasted must name a program. */
export type Naming = (program: Program) => string

type ThisProcess = Pick<NodeJS.Process, 'argv' | 'env' | 'cwd'>

/** Both programs are installed together: as one was started, the other can be. */
export function namingOf({ argv: [, script = ''], env, cwd }: ThisProcess): Naming {
  // npx runs a bin from a folder of its own, which no later line may name; `npm run` stands where npx works too.
  if (env.npm_lifecycle_event !== undefined) return (program) => `npx ${program}`
  const folder = dirname(script)
  if (Object.hasOwn(PROGRAMS, basename(script))) {
    if ((env.PATH ?? '').split(delimiter).includes(folder)) return (program) => program
    return (program) => shellWord(fromHere(join(folder, program), cwd()))
  }
  return (program) => {
    const file = compiled(program)
    return file === undefined ? program : `node ${shellWord(fromHere(file, cwd()))}`
  }
}

function compiled(program: Program): string | undefined {
  const file = fileURLToPath(new URL(`../${PROGRAMS[program]}`, import.meta.url))
  return existsSync(file) ? file : undefined
}

/** The shorter of both ways to say it. A bare name would be looked for on the PATH. */
function fromHere(file: string, cwd: string): string {
  const near = relative(cwd, file)
  if (near.startsWith('..')) return file
  return near.includes('/') ? near : `./${near}`
}

/** As a POSIX shell reads it as one word. */
export function shellWord(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
