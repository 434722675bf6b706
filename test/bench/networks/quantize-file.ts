import { execFile } from 'node:child_process'
import { readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'

const execute = promisify(execFile)

/** Nobody waits longer for a network of 50 MiB. */
const LIMIT_MS = 900_000

const CLI = join(import.meta.dirname, '..', '..', '..', 'planner', 'cli', 'main.js')
const USAGE = join(import.meta.dirname, 'usage.js')

const usageSchema = z.object({ processorSeconds: z.number(), peakBytes: z.number() })
const findingSchema = z.object({
  code: z.string(),
  severity: z.string(),
  message: z.string(),
  where: z.string().optional(),
})
const printedSchema = z.object({
  findings: z.array(findingSchema),
  level: z
    .object({
      outputs: z.array(
        z.object({
          name: z.string(),
          sqnrDb: z.number().nullable(),
          spreadDb: z.number().nullable(),
        }),
      ),
    })
    .optional(),
  operators: z.object({ total: z.number(), integer: z.number() }),
})

export type Usage = z.infer<typeof usageSchema>
export type Printed = z.infer<typeof printedSchema>

/** What became of one command. */
export type Outcome =
  | {
      readonly kind: 'written'
      readonly path: string
      readonly bytes: number
      readonly printed: Printed
      readonly usage: Usage
    }
  /** One line said why. */
  | { readonly kind: 'refused'; readonly reason: string; readonly usage: Usage | null }
  | { readonly kind: 'crashed'; readonly how: string }

export interface QuantizeFile {
  readonly source: string
  readonly scheme: string
  readonly calibration: string
  readonly output: string
}

/** `fitment quantize` as a user starts it, in a process of its own. */
export async function quantizeFile(asked: QuantizeFile): Promise<Outcome> {
  const { source, scheme, calibration, output } = asked
  const taken = `${output}.usage.json`
  await rm(output, { force: true })
  await rm(taken, { force: true })
  const words = ['quantize', source, '--scheme', scheme, '--calibration', calibration]
  const argv = ['--import', USAGE, CLI, ...words, '-o', output, '--json']
  const env = { ...process.env, FITMENT_BENCH_USAGE: taken }
  try {
    const { stdout } = await execute(process.execPath, argv, {
      env,
      timeout: LIMIT_MS,
      maxBuffer: 2 ** 28,
    })
    const printed = printedSchema.parse(JSON.parse(stdout))
    const usage = await usageAt(taken)
    if (usage === null) return { kind: 'crashed', how: 'it ended without its last words' }
    const { size } = await stat(output)
    return { kind: 'written', path: output, bytes: size, printed, usage }
  } catch (error) {
    return failed(error, await usageAt(taken))
  }
}

async function usageAt(path: string): Promise<Usage | null> {
  const text = await readFile(path, 'utf8').catch(() => null)
  return text === null ? null : usageSchema.parse(JSON.parse(text))
}

/** Exit codes of refusals: the file or the data, and the command line. */
const REFUSALS: ReadonlySet<unknown> = new Set([1, 2])

/** Where the file was made, and is not worth to be written. */
function refusalIn(stdout: string): string | null {
  const parsed = /^\s*\{/.test(stdout) ? printedSchema.partial().parse(JSON.parse(stdout)) : {}
  return parsed.findings?.find(({ severity }) => severity === 'error')?.message ?? null
}

function failed(error: unknown, usage: Usage | null): Outcome {
  const {
    stdout = '',
    stderr = '',
    code,
    killed,
    signal,
  } = error as {
    stdout?: string
    stderr?: string
    code?: unknown
    killed?: boolean
    signal?: string | null
  }
  if (killed) return { kind: 'crashed', how: `no end in ${LIMIT_MS / 1000} s` }
  const lines = stderr.trim().split('\n')
  const stack = lines.some((line) => /^\s+at .+:\d+:\d+\)?$/.test(line))
  const said = refusalIn(stdout) ?? lines.findLast((line) => line.trim() !== '') ?? ''
  if (REFUSALS.has(code) && !stack && said !== '') return { kind: 'refused', reason: said, usage }
  return { kind: 'crashed', how: `${signal ?? `exit code ${String(code)}`}: ${said || 'no word'}` }
}
