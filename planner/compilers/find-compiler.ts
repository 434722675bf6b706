import { access, constants, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, isAbsolute, join, resolve } from 'node:path'
import type { CompilerName } from '../targets/index.ts'
import type { Compiler } from './compiler.ts'
import { COMPILERS } from './compilers.ts'
import { runConfined } from './confined.ts'
import { CompilerError } from './errors.ts'

export interface FoundCompiler {
  readonly compiler: Compiler
  readonly path: string
  /** What it calls itself; `unknown` where it does not say. */
  readonly version: string
}

const VERSION_MS = 30_000

/**
 * Where the compiler is: as named, by its variable, or on PATH.
 * @throws CompilerError `compiler-missing`, with how to get it
 */
export async function findCompiler(
  name: CompilerName,
  named?: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<FoundCompiler> {
  const compiler = COMPILERS[name]
  const asked = named ?? environment[compiler.variable]
  const places =
    asked === undefined
      ? (environment.PATH ?? '').split(delimiter).map((folder) => join(folder, compiler.command))
      : [isAbsolute(asked) ? asked : resolve(asked)]
  for (const path of places) {
    if (await isExecutable(path))
      return { compiler, path, version: await versionOf(compiler, path) }
  }
  const where = asked === undefined ? 'is not on PATH' : `is not there: ${asked} cannot be executed`
  throw new CompilerError('compiler-missing', `${name} ${where}; ${compiler.install}`, { name })
}

/** What may be planned here: compilers found, and how to get each of the others. */
export interface CompilersHere {
  readonly found: Readonly<Partial<Record<CompilerName, FoundCompiler>>>
  readonly missing: Readonly<Partial<Record<CompilerName, string>>>
}

export async function compilersHere(
  environment: NodeJS.ProcessEnv = process.env,
): Promise<CompilersHere> {
  const found: Partial<Record<CompilerName, FoundCompiler>> = {}
  const missing: Partial<Record<CompilerName, string>> = {}
  for (const name of Object.keys(COMPILERS) as CompilerName[]) {
    try {
      found[name] = await findCompiler(name, undefined, environment)
    } catch (error) {
      if (!(error instanceof CompilerError)) throw error
      missing[name] = COMPILERS[name].install
    }
  }
  return { found, missing }
}

async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

async function versionOf(compiler: Compiler, path: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fitment-compiler-'))
  try {
    const { said } = await runConfined(path, compiler.versionArguments, {
      folder,
      timeoutMs: VERSION_MS,
      memoryBytes: 4 * 1024 ** 3,
      fileBytes: 1024 ** 2,
    })
    return compiler.version(said) ?? 'unknown'
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
