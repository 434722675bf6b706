import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UsageError } from '../../shared/errors.ts'
import { onlyScheme, type TargetName, targetOf } from '../targets/index.ts'
import { type CheckedOutput, checkOutput } from './check-output.ts'
import type { Compiler } from './compiler.ts'
import { type Ended, runConfined } from './confined.ts'
import { CompilerError } from './errors.ts'
import { type FoundCompiler, findCompiler } from './find-compiler.ts'
import type { CompilerReport } from './report.ts'

export interface CompileOrder {
  readonly model: Uint8Array
  readonly target: TargetName
  /** Where the compiler is; sought where absent. */
  readonly compiler?: string | undefined
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export interface Compiled {
  readonly bytes: Uint8Array
  readonly report: CompilerReport
}

const TIMEOUT_MS = 10 * 60_000
const MEMORY_BYTES = 8 * 1024 ** 3
/** Texts beside the model that are longer are no reports. */
const TEXT_BYTES = 1024 ** 2
/** A compiled file is about as large as its model: this leaves room for tables and logs. */
const fileLimit = (model: Uint8Array) => 64 * 1024 ** 2 + 8 * model.length

/**
 * The model as its accelerator takes it.
 * @throws UsageError where the target takes files as they are, CompilerError
 */
export async function compile(order: CompileOrder): Promise<Compiled> {
  const target = targetOf(order.target)
  const wanted = target.accelerator?.compiler ?? null
  if (wanted === null) {
    throw new UsageError(`${order.target} takes ${target.format} files as they are: no compiler`, {
      target: order.target,
    })
  }
  const found = await findCompiler(wanted.name, order.compiler)
  const folder = await mkdtemp(join(tmpdir(), 'fitment-compile-'))
  try {
    const { ended, out } = await run(found, order, { folder, ...wanted })
    const bytes = await outputOf(found.compiler, out, ended)
    const takes = onlyScheme(target) ?? 'other files'
    const checked = checkOutput(bytes, wanted.name, wanted.customOperator, takes)
    return { bytes, report: await reportOf(found, checked, ended, out) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function run(
  { compiler, path }: FoundCompiler,
  { model, timeoutMs = TIMEOUT_MS, signal }: CompileOrder,
  { folder, configuration }: { readonly folder: string; readonly configuration: string | null },
): Promise<{ ended: Ended; out: string }> {
  const input = join(folder, 'model.tflite')
  const out = join(folder, 'out')
  await mkdir(out)
  await writeFile(input, model)
  const args = compiler.arguments({ model: input, out, configuration })
  const ended = await runConfined(path, args, {
    folder,
    timeoutMs,
    memoryBytes: MEMORY_BYTES,
    fileBytes: fileLimit(model),
    signal,
  })
  refuseFailure(compiler, ended, timeoutMs)
  return { ended, out }
}

function refuseFailure({ name }: Compiler, ended: Ended, timeoutMs: number): void {
  const { how, code, signal } = ended
  if (how === 'timeout') {
    const seconds = Math.round(timeoutMs / 1000)
    throw new CompilerError('compiler-timeout', `${name} was ended after ${seconds} s`)
  }
  if (how === 'exited' && code === 0) return
  const end =
    how === 'cancelled'
      ? 'was cancelled'
      : how === 'not-started'
        ? 'did not start'
        : signal === null
          ? `ended with code ${code}`
          : `was ended by ${signal}`
  throw new CompilerError('compiler-failed', `${name} ${end}${lastWords(ended)}`, {
    code,
    signal,
  })
}

/** Its last lines, as one: what is wrong often stands a line or two above the end. */
function lastWords({ said }: Ended): string {
  const lines = said.split('\n').map((line) => line.trim())
  const last = lines.filter((line) => line !== '').slice(-3)
  return last.length === 0 ? '' : `: ${last.join('; ').slice(-400)}`
}

async function outputOf(compiler: Compiler, out: string, ended: Ended): Promise<Uint8Array> {
  const path = join(out, compiler.output)
  const there = await stat(path).catch(() => null)
  if (there?.isFile() && there.size > 0) return await readFile(path)
  throw new CompilerError(
    'compiler-wrote-nothing',
    `${compiler.name} ended well and wrote no ${compiler.output}${lastWords(ended)}`,
  )
}

async function reportOf(
  { compiler, version }: FoundCompiler,
  checked: CheckedOutput,
  { said, withoutNetwork }: Ended,
  out: string,
): Promise<CompilerReport> {
  const { operators, ...figures } = compiler.report(said, await textsIn(out))
  const left = Object.values(checked.left).reduce((sum, count) => sum + count, 0)
  return {
    compiler: compiler.name,
    version,
    // What its file shows, where it does not say: pieces stand for operators then.
    operators: operators ?? { accelerator: checked.partitions, cpu: left },
    left: checked.left,
    partitions: checked.partitions,
    ...figures,
    withoutNetwork,
  }
}

async function textsIn(folder: string): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>()
  for (const name of await readdir(folder)) {
    if (!/\.(csv|log|txt|json)$/.test(name)) continue
    const there = await stat(join(folder, name))
    if (there.isFile() && there.size <= TEXT_BYTES) {
      texts.set(name, await readFile(join(folder, name), 'utf8'))
    }
  }
  return texts
}
